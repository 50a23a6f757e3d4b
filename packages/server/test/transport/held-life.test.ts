import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  acceptor,
  ask,
  bodiesOf,
  closedPolls,
  errorOf,
  held,
  hold,
  open,
  parsed,
  pass,
  post,
  push,
  root,
  start,
  stop,
} from "./held-world.ts";
import { until } from "./raw-socket.ts";

beforeEach(() => start());
afterEach(stop);

describe("life", () => {
  test("a connection that is not polled for 30 s is closed, and its id is unknown then", async () => {
    const path = await open();
    pass(29_000);
    assert.equal((await ask(`${path}?after=1&wait=0`)).status, 200);
    pass(29_000);
    assert.equal(acceptor.last.closes, 0);
    pass(3000);
    assert.equal(acceptor.last.closes, 1);
    assert.deepEqual(errorOf(await ask(`${path}?after=1`)), [404, "not_found"]);
    assert.deepEqual(errorOf(await post(path, { type: "ping", id: 2 })), [404, "not_found"]);
    assert.equal(held.traffic.connections, 0);
  });

  test("a client that vanishes in the middle of a poll is given 30 s from then, not the time of the poll", async () => {
    const path = await open();
    const leaving = new AbortController();
    const { answer } = await hold(`${path}?after=1`, { signal: leaving.signal });
    const before = closedPolls;
    leaving.abort();
    await assert.rejects(answer);
    await until("the server to notice", () => closedPolls > before);
    pass(29_000);
    assert.equal(acceptor.last.closes, 0);
    pass(3000);
    assert.equal(acceptor.last.closes, 1);
  });

  test("a held poll keeps it alive", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    pass(60_000);
    assert.equal(acceptor.last.closes, 0);
    push("still here");
    assert.deepEqual(bodiesOf(await poll), ["still here"]);
  });

  test("close answers the held poll with the close frame; what comes up afterwards is ignored", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    acceptor.last.connection.close("kicked", 100);
    assert.deepEqual(parsed(await poll), {
      after: 2,
      frames: [{ type: "close", code: 4202, reason: "kicked", retryAfterMs: 100 }],
    });
    assert.equal(acceptor.last.closes, 1);
    assert.equal((await post(path, { type: "ping", id: 9 })).status, 204);
    assert.equal(acceptor.last.frames.length, 1);
    assert.deepEqual(errorOf(await ask(`${path}?after=2`)), [404, "not_found"]);
  });

  test("a close frame waits for the next poll", async () => {
    const path = await open();
    acceptor.last.connection.close("replaced");
    await until("the core to be told", () => acceptor.last.closes === 1);
    pass(5000);
    assert.equal((parsed(await ask(`${path}?after=1`)).frames as { type: string }[])[0]?.type, "close");
  });

  test("G8 who is too slow leaves nothing behind but the close frame, whatever was fetched before", async () => {
    const path = await open();
    for (let i = 0; i < 5; i++) push("x".repeat(10_000));
    await ask(`${path}?after=2`);
    acceptor.last.connection.close("too_slow");
    assert.ok(acceptor.last.connection.bufferedBytes < 1000);
    for (const after of [1, 3]) {
      const { after: last, frames } = parsed(await ask(`${path}?after=${after}`));
      assert.equal(last, 7);
      assert.deepEqual(
        (frames as { type: string; code: number }[]).map(({ type, code }) => [type, code]),
        [["close", 4005]],
      );
    }
    assert.deepEqual(errorOf(await ask(`${path}?after=7`)), [404, "not_found"]);
  });

  test("DELETE closes, and releases the poll", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    assert.equal((await ask(path, { method: "DELETE" })).status, 204);
    assert.deepEqual(parsed(await poll), { after: 1, frames: [] });
    assert.equal(acceptor.last.closes, 1);
    assert.equal((await ask(path, { method: "DELETE" })).status, 404);
  });

  test("a stopping server opens no more, and is done when the core has closed the others", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    const gone = held.close();
    const refused = await post(root, { type: "ping", id: 1 });
    assert.deepEqual(errorOf(refused), [503, "overloaded"]);
    assert.equal(refused.headers["retry-after"], "5");
    acceptor.last.connection.close("going_away", 2000);
    await gone;
    assert.equal((parsed(await poll).frames as { type: string }[])[0]?.type, "close");
  });

  test("more connections than allowed are refused", async () => {
    await stop();
    await start({ connectionsMax: 1 });
    await open();
    assert.deepEqual(errorOf(await post(root, { type: "ping", id: 1 })), [503, "overloaded"]);
  });
});

describe("other origins", () => {
  const origin = { Origin: "https://chat.example" };
  const preflight = { ...origin, "Access-Control-Request-Method": "POST" };

  test("without a list nobody is allowed", async () => {
    const answer = await ask(root, { method: "OPTIONS", headers: preflight });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
  });

  test("those on the list may ask and read", async () => {
    await stop();
    await start({ origins: ["https://chat.example"] });
    const asked = await ask(`${root}/x`, { method: "OPTIONS", headers: preflight });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers["access-control-allow-origin"], "https://chat.example");
    assert.equal(asked.headers["access-control-allow-methods"], "GET, POST, DELETE");
    const path = await open();
    const answer = await ask(`${path}?after=1&wait=0`, { headers: origin });
    assert.equal(answer.headers["access-control-allow-origin"], "https://chat.example");
    assert.match(String(answer.headers["access-control-expose-headers"]), /Hongyan-After/);
    const other = await ask(`${path}?after=1&wait=0`, { headers: { Origin: "https://evil.example" } });
    assert.equal(other.headers["access-control-allow-origin"], undefined);
    assert.equal(other.headers.vary, "Origin");
  });
});
