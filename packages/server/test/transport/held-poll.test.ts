import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type DecodedFrame, jsonCodec, messagePackCodec, readFrames } from "@hongyan/protocol";
import type { HeldConnection } from "../../src/transport/held/held-connection.ts";
import { messageFrame } from "./echo-acceptor.ts";
import {
  acceptor,
  ask,
  binary,
  bodiesOf,
  bytesOf,
  closedPolls,
  hold,
  open,
  parsed,
  pass,
  polls,
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

describe("long poll", () => {
  test("a connection begins with frames upstream, and answers come down the poll", async () => {
    const opened = await post(root, [
      { type: "ping", id: 1 },
      { type: "ping", id: 2 },
    ]);
    assert.equal(opened.status, 201);
    assert.deepEqual(parsed(opened), { connection: "id-1" });
    const answer = await ask(`${root}/id-1?after=0`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.deepEqual(parsed(answer), {
      after: 2,
      frames: [
        { type: "ping.ok", id: 1, time: 1, receipts: 0 },
        { type: "ping.ok", id: 2, time: 1, receipts: 0 },
      ],
    });
    assert.equal(acceptor.last.connection.transport, "poll");
  });

  for (const codec of [jsonCodec, messagePackCodec]) {
    test(`binary frames, ${codec.name}`, async () => {
      const body = Buffer.concat([
        bytesOf({ type: "ping", id: 1 }, codec),
        bytesOf({ type: "ping", id: 2 }, codec),
      ]);
      assert.equal((await ask(root, { method: "POST", headers: binary, body })).status, 201);
      const answer = await ask(`${root}/id-1?after=0`);
      assert.equal(answer.headers["content-type"], "application/octet-stream");
      assert.equal(answer.headers["hongyan-after"], "2");
      const frames: DecodedFrame[] = [];
      readFrames(answer.body, { frame: (frame) => frames.push(frame), bad: (error) => assert.fail(error) });
      assert.deepEqual(
        frames.map((one) => [one.codec, one.frame.id]),
        [
          [codec, 1],
          [codec, 2],
        ],
      );
    });
  }

  test("a held poll is answered at once when a frame comes, with all frames of the tick", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    push("a");
    push("b");
    const answer = await poll;
    assert.deepEqual(bodiesOf(answer), ["a", "b"]);
    assert.equal(parsed(answer).after, 3);
  });

  test("a frame that comes in the gap between two polls is returned by the next without waiting", async () => {
    const path = await open();
    push("in the gap");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["in the gap"]);
  });

  test("nothing comes: the poll is held between 75 and 90 s, then empty", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    let isAnswered = false;
    void poll.then(() => {
      isAnswered = true;
    });
    pass(82_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isAnswered, false);
    pass(1000);
    assert.deepEqual(parsed(await poll), { after: 1, frames: [] });
  });

  test("wait lowers the time, and 0 does not hold", async () => {
    const path = await open();
    assert.deepEqual(parsed(await ask(`${path}?after=1&wait=0`)), { after: 1, frames: [] });
    const { answer: poll } = await hold(`${path}?after=1&wait=5000`);
    pass(6000);
    assert.deepEqual(parsed(await poll), { after: 1, frames: [] });
  });

  test("G1 a lost answer is repeated: only `after` acknowledges", async () => {
    const path = await open();
    push("a");
    for (let i = 0; i < 3; i++) assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["a"]);
    assert.ok(acceptor.last.connection.bufferedBytes > 0);
    push("b");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["a", "b"]);
    assert.deepEqual(bodiesOf(await ask(`${path}?after=2`)), ["b"]);
    await ask(`${path}?after=3&wait=0`);
    assert.equal(acceptor.last.connection.bufferedBytes, 0);
  });

  test("G1 a client that goes away while it is held, or while it is answered, loses nothing", async () => {
    const path = await open();
    const leaving = new AbortController();
    const { answer: poll } = await hold(`${path}?after=1`, { signal: leaving.signal });
    const gone = closedPolls;
    leaving.abort();
    await assert.rejects(poll);
    await until("the server to notice", () => closedPolls > gone);
    push("while away");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["while away"]);

    const raw = await RawSocket.open(port);
    const before = polls;
    raw.write(`GET ${path}?after=2 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until("the poll to arrive", () => polls > before);
    raw.socket.pause();
    acceptor.last.push("group", Buffer.alloc(900_000, "x"));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    raw.socket.resetAndDestroy();
    const [body] = bodiesOf(await ask(`${path}?after=2`));
    assert.equal(String(body).length, 900_000);
  });

  test("a newer poll releases the older one", async () => {
    const path = await open();
    const { answer: older } = await hold(`${path}?after=1`);
    const { answer: newer } = await hold(`${path}?after=1`);
    assert.deepEqual(parsed(await older), { after: 1, frames: [] });
    push("a");
    assert.deepEqual(bodiesOf(await newer), ["a"]);
  });

  test("a large backlog comes in pages, none lost, none twice", async () => {
    await stop();
    await start({ answerBytesMax: 10_000 });
    const path = await open();
    for (let i = 0; i < 100; i++) push(`${i}`.padEnd(1000, "."));
    const got: string[] = [];
    let after = 1;
    let requests = 0;
    while (got.length < 100) {
      const answer = await ask(`${path}?after=${after}`);
      got.push(...bodiesOf(answer).map((body) => String(parseInt(String(body), 10))));
      after = parsed(answer).after as number;
      requests++;
    }
    assert.deepEqual(
      got,
      Array.from({ length: 100 }, (_, i) => String(i)),
    );
    assert.ok(requests >= 10);
  });

  test("a frame larger than an answer comes alone", async () => {
    await stop();
    await start({ answerBytesMax: 100 });
    const path = await open();
    push("x".repeat(500));
    push("y");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["x".repeat(500)]);
  });

  test("posts go up in their order, and may acknowledge", async () => {
    const path = await open();
    push("a");
    const answer = await post(`${path}?after=2`, [
      { type: "ping", id: 5 },
      { type: "ack", id: 6, positions: { group: 1 } },
    ]);
    assert.equal(answer.status, 204);
    assert.deepEqual(
      acceptor.last.frames.map(({ id }) => id),
      [1, 5, 6],
    );
    assert.equal((parsed(await ask(`${path}?after=2`)).frames as unknown[]).length, 1);
    assert.equal((await ask(`${path}?after=3`, { method: "POST" })).status, 204);
    assert.equal(acceptor.last.connection.bufferedBytes, 0);
  });

  test("G8 a frame that waits keeps its own bytes alive and no others, shared by all who wait for it", async () => {
    for (let i = 0; i < 2; i++)
      await ask(root, { method: "POST", headers: binary, body: bytesOf({ type: "ping", id: 1 }) });
    const frame = messageFrame("group", Buffer.from("small"));
    const kept = acceptor.seen.map(({ connection }) => {
      connection.write(frame);
      return (connection as HeldConnection).backlog.read(1, 1000).frames[0];
    });
    assert.equal(kept[0]?.buffer.byteLength, kept[0]?.length);
    assert.equal(kept[0], kept[1]);
  });

  test("G8 what is not acknowledged is counted, and its end is reported", async () => {
    await stop();
    await start({ drainedAboveBytes: 1000 });
    const path = await open();
    push("x".repeat(800));
    push("y".repeat(800));
    assert.ok(acceptor.last.connection.bufferedBytes > 1600);
    await ask(`${path}?after=2&wait=0`);
    assert.equal(acceptor.last.drains, 0);
    await ask(`${path}?after=3&wait=0`);
    assert.equal(acceptor.last.drains, 1);
  });

  test("G8 what is asked for again and never taken waits in one answer, and is counted until it is gone", async () => {
    await stop();
    // More than the operating system takes for a client that does not read.
    await start({ answerBytesMax: 40 * 1024 * 1024, drainedAboveBytes: 1000 });
    const path = await open();
    push("x".repeat(32 * 1024 * 1024));
    const request = `GET ${path}?after=1 HTTP/1.1\r\nHost: a\r\n\r\n`;
    const client = async (requests: string): Promise<RawSocket> => {
      const opened = await RawSocket.open(port);
      opened.socket.pause();
      opened.write(requests);
      return opened;
    };
    const before = polls;
    const first = await client(request);
    await until("its poll", () => polls === before + 1);
    // The second of these is over with the first, whose socket it shares; the third is not answered.
    const second = await client(request.repeat(3));
    await until("the end of both", () => closedPolls >= 2);
    const third = await client(request);
    await until("its poll", () => polls === before + 5);
    // It was not taken, whatever the client says.
    await ask(`${path}?after=2`, { method: "POST" });
    assert.ok(acceptor.last.connection.bufferedBytes > 32 * 1024 * 1024);
    assert.equal(acceptor.last.drains, 0);
    for (const one of [first, second, third]) one.destroy();
    await until("its end", () => acceptor.last.drains === 1);
    assert.equal(acceptor.last.connection.bufferedBytes, 0);
  });
});
