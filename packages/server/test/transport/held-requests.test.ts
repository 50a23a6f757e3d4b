import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  type Asked,
  acceptor,
  ask,
  binary,
  bodiesOf,
  bytesOf,
  errorOf,
  hold,
  journal,
  json,
  open,
  parsed,
  port,
  post,
  push,
  root,
  start,
  stop,
} from "./held-world.ts";
import { RawSocket, until } from "./raw-socket.ts";

beforeEach(() => start());
afterEach(stop);

describe("bad requests", () => {
  const bad: [string, string, Asked, number, string][] = [
    ["bad JSON", root, { method: "POST", headers: json, body: "{" }, 400, "bad_frame"],
    [
      "bad UTF-8",
      root,
      { method: "POST", headers: json, body: Buffer.from("22ff22", "hex") },
      400,
      "bad_frame",
    ],
    ["a list of numbers", root, { method: "POST", headers: json, body: "[1]" }, 400, "bad_frame"],
    ["an empty list", root, { method: "POST", headers: json, body: "[]" }, 400, "bad_request"],
    ["no body", root, { method: "POST", headers: json }, 400, "bad_request"],
    [
      "a frame that is cut off",
      root,
      { method: "POST", headers: binary, body: bytesOf({ type: "ping", id: 1 }).subarray(1) },
      400,
      "bad_frame",
    ],
    [
      "a giant frame",
      root,
      { method: "POST", headers: binary, body: Buffer.from("ffffffff00000000", "hex") },
      413,
      "too_large",
    ],
    [
      "another content type",
      root,
      { method: "POST", headers: { "Content-Type": "text/plain" }, body: "x" },
      415,
      "bad_request",
    ],
    ["GET of all", root, {}, 405, "bad_request"],
    ["PUT", `${root}/x`, { method: "PUT" }, 405, "bad_request"],
    ["POST to a stream", `${root}/x/stream`, { method: "POST" }, 405, "bad_request"],
    ["an unknown id", `${root}/x?after=0`, {}, 404, "not_found"],
    ["a deeper path", `${root}/x/stream/y`, {}, 404, "not_found"],
    ["an empty id", `${root}/`, {}, 404, "not_found"],
  ];
  for (const [name, path, asked, status, error] of bad) {
    test(`${name}: ${status} ${error}`, async () => {
      assert.deepEqual(errorOf(await ask(path, asked)), [status, error]);
      assert.equal(acceptor.seen.length, 0);
    });
  }

  test("405 says which methods there are", async () => {
    assert.equal((await ask(root)).headers.allow, "POST");
    assert.equal((await ask(`${root}/x`, { method: "PUT" })).headers.allow, "GET, POST, DELETE");
  });

  test("a bad upload changes nothing: none of its frames is handed on, the connection stays", async () => {
    const path = await open();
    const body = Buffer.concat([bytesOf({ type: "ping", id: 5 }), Buffer.from("00000001", "hex")]);
    assert.deepEqual(errorOf(await ask(path, { method: "POST", headers: binary, body })), [400, "bad_frame"]);
    assert.equal(acceptor.last.frames.length, 1);
    assert.equal((await post(path, { type: "ping", id: 6 })).status, 204);
  });

  test("a command with a bad field is rejected down the poll, the others are handed on", async () => {
    const path = await open();
    assert.equal(
      (
        await post(path, [
          { type: "join", id: 5 },
          { type: "ping", id: 6 },
        ])
      ).status,
      204,
    );
    const frames = parsed(await ask(`${path}?after=1`)).frames as { type: string; id: number }[];
    assert.deepEqual(
      frames.map(({ type, id }) => [type, id]),
      [
        ["error", 5],
        ["ping.ok", 6],
      ],
    );
  });

  test("an acknowledgement of frames that were never sent, or of old ones, is refused and changes nothing", async () => {
    const path = await open();
    push("a");
    assert.deepEqual(errorOf(await ask(`${path}?after=3`)), [400, "bad_request"]);
    assert.deepEqual(errorOf(await ask(`${path}?after=-1`)), [400, "bad_request"]);
    assert.deepEqual(errorOf(await ask(`${path}?after=1&wait=soon`)), [400, "bad_request"]);
    const { answer: poll } = await hold(`${path}?after=2`);
    assert.deepEqual(errorOf(await ask(`${path}?after=1`)), [409, "conflict"]);
    push("b");
    assert.deepEqual(bodiesOf(await poll), ["b"]);
  });

  test("uploads above the limit are refused: announced, and in pieces", async () => {
    await stop();
    await start({ uploadBytesMax: 1000 });
    const path = await open();
    assert.deepEqual(errorOf(await ask(path, { method: "POST", headers: json, body: "x".repeat(1001) })), [
      413,
      "too_large",
    ]);
    const announcing = await RawSocket.open(port);
    announcing.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n`);
    await until("the refusal before any of the body", () => announcing.received.includes("too_large"));
    announcing.destroy();
    const raw = await RawSocket.open(port);
    raw.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let i = 0; i < 1100 && !raw.hasEnded && !raw.hasClosed; i++)
      await raw.writeAll(Buffer.from("1\r\nx\r\n"));
    await until("the refusal", () => raw.received.includes("too_large") || raw.hasClosed);
    assert.match(raw.received.toString(), /^HTTP\/1.1 413 /);
    await raw.ends();
    assert.equal((await ask(`${path}?after=1&wait=0`)).status, 200);
  });

  test("an upload that is broken off is not handed on", async () => {
    const path = await open();
    const raw = await RawSocket.open(port);
    raw.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"type":"ping","id":7}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    raw.socket.resetAndDestroy();
    await post(path, { type: "ping", id: 8 });
    assert.deepEqual(
      acceptor.last.frames.map(({ id }) => id),
      [1, 8],
    );
  });

  test("a fault of the core is answered with 500 and written down, without its text", async () => {
    const path = await open();
    const answer = await post(path, { type: "list", id: 2, limit: 666 });
    assert.deepEqual(errorOf(answer), [500, "internal"]);
    assert.ok(!answer.body.includes("fault of the core"));
    assert.deepEqual(journal.warnings, ["fault while handling a request"]);
  });

  test("other paths are not ours", async () => {
    assert.equal((await ask("/v1/users")).status, 418);
    assert.equal((await ask("/v1/connectionsx")).status, 418);
  });
});
