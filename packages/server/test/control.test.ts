import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { createServer } from "@hongyan/server";
import type { MigrationReply } from "../src/migration/request.ts";

async function newData(t: TestContext, name = ""): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "hongyan-control-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, name);
}

async function start(t: TestContext, data: string): Promise<string[]> {
  const events: string[] = [];
  const journal = {
    info: (event: string) => void events.push(event),
    warn: (event: string) => void events.push(event),
  };
  const server = await createServer({ data, port: 0, tcpPort: 0, web: false }, { journal });
  t.after(() => server.close());
  return events;
}

/** What is answered to the bytes; "" where the line is only cut. */
async function say(data: string, bytes: string): Promise<string> {
  const socket = connect(join(data, "control"));
  socket.on("error", () => {});
  socket.write(bytes);
  return text(socket).catch(() => "");
}

test("the control socket is its owner's; what is no request is refused, and the server goes on", async (t) => {
  const data = await newData(t);
  // What one that was killed has left is no reason not to start.
  await writeFile(join(data, "control"), "");
  assert.deepEqual(await start(t, data), []);
  const { mode } = await stat(join(data, "control"));
  assert.equal(mode & 0o777, 0o600);
  for (const line of ["hello", "null", "[]", "{}", '{"mode":"all","url":"x"}', '{"mode":"move","url":7}']) {
    const reply = JSON.parse(await say(data, `${line}\n`)) as MigrationReply;
    assert.match("error" in reply ? reply.error : "", /not a request/, line);
  }
  assert.equal(await say(data, "x".repeat(100_000)), "");
  const nowhere = JSON.stringify({ mode: "move", url: "postgres://u:secret@127.0.0.1:1/d" });
  const reply = await say(data, `${nowhere}\n`);
  assert.match(reply, /"error":"PostgreSQL database \\"d\\" at 127.0.0.1:1 cannot be reached/);
  assert.ok(!reply.includes("secret"));
});

test("where the name of the socket would be too long, the server works without it and says so", async (t) => {
  const data = await newData(t, "x".repeat(120));
  assert.deepEqual(await start(t, data), ["control.failed"]);
});
