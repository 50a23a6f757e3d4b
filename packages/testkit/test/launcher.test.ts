import assert from "node:assert/strict";
import { test } from "node:test";
import { launchServer } from "../src/launcher.ts";

test("G1 a launched server is killed and started again on the same ports and data", async (t) => {
  const server = await launchServer({ domains: ["main", "other"], settings: { log: { level: "warn" } } });
  t.after(() => server.close());
  const call = (path: string, options: RequestInit = {}) =>
    fetch(`${server.httpUrl}${path}`, {
      ...options,
      headers: { authorization: `Bearer ${server.apiKey}`, "content-type": "application/json" },
    });
  const sent = await call("/v1/conversations/alice%3Abob/messages", {
    method: "POST",
    body: JSON.stringify({ from: "alice", clientMessageId: "x:1", body: "hello" }),
  });
  assert.ok(sent.ok, await sent.text());
  const { pid } = server;
  await server.kill();
  assert.equal(server.pid, undefined);
  await assert.rejects(fetch(`${server.httpUrl}/healthz`));
  assert.ok((await server.start()) > 0);
  assert.notEqual(server.pid, pid);
  const history = await call("/v1/conversations/alice%3Abob/messages?after=0");
  assert.match(await history.text(), /hello/);
  assert.equal(await server.stop(), 0);
  assert.notEqual(server.apiKeyOf("other"), server.apiKey);
  assert.equal(server.token("alice", "other").split(".").length, 3);
});

test("a server that cannot start says why", async () => {
  await assert.rejects(launchServer({ settings: { noSuchSetting: 1 } }), /noSuchSetting/);
});
