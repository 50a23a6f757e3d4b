import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { WebSocket } from "ws";
import { messageFrame } from "./echo-acceptor.ts";
import { RawSocket, until } from "./raw-socket.ts";
import { clientFrame, closePayload, handshake, RawWebSocket } from "./raw-websocket.ts";
import {
  acceptor,
  binary,
  bytesOf,
  decoded,
  jsonOf,
  listener,
  open,
  ping,
  port,
  start,
  stop,
  text,
} from "./websocket-world.ts";

beforeEach(() => start());
afterEach(() => stop());

describe("closing", () => {
  test("close writes what is queued, the close frame, and the code; what comes later is ignored", async () => {
    const client = await open();
    client.send(text, '{"type":"ping","id":1}');
    await client.next();
    const { connection } = acceptor.last;
    acceptor.last.reply({ type: "ack.ok", id: 2 });
    connection.close("replaced", 1500);
    acceptor.last.reply({ type: "ack.ok", id: 3 });
    connection.close("kicked");
    assert.deepEqual(jsonOf((await client.next()).payload), { type: "ack.ok", id: 2 });
    assert.deepEqual(jsonOf((await client.next()).payload), {
      type: "close",
      code: 4201,
      reason: "replaced",
      retryAfterMs: 1500,
    });
    client.send(text, '{"type":"ping","id":4}');
    const last = await client.next();
    assert.deepEqual(
      [last.opcode, last.payload.readUInt16BE(0), last.payload.subarray(2).toString()],
      [8, 4201, "replaced"],
    );
    client.send(8, closePayload(4201));
    await client.raw.ends();
    await until("the core to be told", () => acceptor.last.closes === 1);
    assert.equal(acceptor.last.frames.length, 1);
    assert.deepEqual(client.frames, [], "nothing may follow a close frame");
  });

  test("a client that does not answer the close frame is cut off", async () => {
    const client = await open();
    acceptor.last.connection.close("kicked");
    await until("the end", () => client.raw.hasClosed);
    assert.equal(acceptor.last.closes, 1);
    assert.equal(listener.traffic.connections, 0);
  });

  test("a client that vanishes is reported once", async () => {
    const client = await open();
    client.raw.socket.resetAndDestroy();
    await until("the core to be told", () => acceptor.last.closes > 0);
    acceptor.last.connection.write(messageFrame("group", Buffer.from("late")));
    acceptor.last.connection.close("going_away");
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(acceptor.last.closes, 1);
  });

  test("a standard client learns code and reason", async () => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((resolve) => client.once("open", resolve));
    const closed = new Promise((resolve) =>
      client.once("close", (code, reason) => resolve([code, String(reason)])),
    );
    acceptor.last.connection.close("token_expired");
    assert.deepEqual(await closed, [4100, "token_expired"]);
  });

  test("a stopping listener turns new clients away and waits for the old ones", async () => {
    const client = await open();
    let isGone = false;
    const gone = listener.close().then(() => {
      isGone = true;
    });
    assert.match((await RawWebSocket.open(port, "/ws")).response, /^HTTP\/1.1 503 .*Retry-After: 2/s);
    assert.equal(isGone, false);
    acceptor.last.connection.close("going_away");
    client.raw.destroy();
    await gone;
  });
});

describe("slow readers", () => {
  test("G8 what a peer does not read is counted, held as its bytes alone, and reported when it is gone", async () => {
    await stop();
    await start({ drainedAboveBytes: 512 * 1024 });
    const [slow, other] = [await open(), await open()];
    slow.send(binary, bytesOf(ping(1)));
    await slow.next();
    slow.raw.socket.pause();
    const [of] = acceptor.seen;
    assert.ok(of !== undefined);
    const frame = messageFrame("group", Buffer.alloc(10_000));
    let written = 0;
    while (of.connection.bufferedBytes < 4 * 1024 * 1024) {
      of.connection.write(frame);
      written++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    other.send(text, '{"type":"ping","id":2}');
    assert.equal(jsonOf((await other.next()).payload).id, 2);
    assert.equal(of.drains, 0);
    slow.raw.socket.resume();
    await until("everything to be read", () => of.drains === 1);
    assert.equal(of.connection.bufferedBytes, 0);
    let read = 0;
    while (read < written) read += decoded((await slow.next()).payload).length;
    assert.equal(read, written);
    slow.raw.destroy();
    other.raw.destroy();
  });

  test("G8 being drained is reported also when the last rest is small", async () => {
    await stop();
    await start({ drainedAboveBytes: 200_000 });
    const client = await open();
    client.raw.socket.pause();
    const { last } = acceptor;
    while (last.connection.bufferedBytes < 250_000) {
      last.push("group", Buffer.alloc(20_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // The socket's own buffer is full, so this waits in the queue; when it goes, no drain event follows it.
    last.push("group", Buffer.from("the last"));
    client.raw.socket.resume();
    await until("the report", () => last.drains === 1);
    assert.equal(last.connection.bufferedBytes, 0);
    client.raw.destroy();
  });

  test("G8 closing a peer that does not read ends it all the same", async () => {
    const client = await open();
    client.raw.socket.pause();
    const { last } = acceptor;
    while (last.connection.bufferedBytes < 1024 * 1024) {
      last.push("group", Buffer.alloc(60_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    last.connection.close("too_slow");
    assert.ok(
      last.connection.bufferedBytes < 512 * 1024,
      `${last.connection.bufferedBytes} bytes are still there`,
    );
    await until("the core to be told", () => last.closes === 1);
    assert.equal(listener.traffic.connections, 0);
    client.raw.destroy();
  });
});

describe("handshake", () => {
  test("is answered as the standard says, with our subprotocol where it is offered", async () => {
    const client = await RawWebSocket.open(port, "/ws?x=1", { "Sec-WebSocket-Protocol": "chat, hongyan" });
    assert.match(client.response, /^HTTP\/1.1 101 Switching Protocols\r\n/);
    assert.match(client.response, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    assert.match(client.response, /Sec-WebSocket-Protocol: hongyan\r\n/);
    client.raw.destroy();
    const plain = await RawWebSocket.open(port, "/ws", { "Sec-WebSocket-Protocol": "chat" });
    assert.doesNotMatch(plain.response, /Sec-WebSocket-Protocol|Extensions/);
    plain.raw.destroy();
  });

  const refused: [string, string, Record<string, string>, number][] = [
    ["another version", "/ws", { "Sec-WebSocket-Version": "8" }, 426],
    ["no version", "/ws", { "Sec-WebSocket-Version": "" }, 426],
    ["no key", "/ws", { "Sec-WebSocket-Key": "" }, 400],
    ["a short key", "/ws", { "Sec-WebSocket-Key": "c2hvcnQ=" }, 400],
    ["another protocol", "/ws", { Upgrade: "h2c" }, 426],
    ["another path", "/elsewhere", {}, 404],
  ];
  for (const [name, path, headers, status] of refused) {
    test(`${name} is refused with ${status}`, async () => {
      const client = await RawWebSocket.open(port, path, headers);
      assert.equal(Number(client.response.split(" ")[1]), status);
      await client.raw.ends();
      assert.equal(listener.traffic.refused, 1);
      assert.equal(acceptor.seen.length, 0);
    });
  }

  test("pages of other origins are refused where the server says so", async () => {
    await stop();
    await start({ isOriginAllowed: (origin) => origin === undefined || origin === "https://chat.example" });
    assert.match(
      (await RawWebSocket.open(port, "/ws", { Origin: "https://evil.example" })).response,
      /^HTTP\/1.1 403/,
    );
    const good = await RawWebSocket.open(port, "/ws", { Origin: "https://chat.example" });
    assert.match(good.response, /^HTTP\/1.1 101/);
    good.raw.destroy();
  });

  test("more connections than allowed are refused", async () => {
    await stop();
    await start({ connectionsMax: 1 });
    const first = await open();
    assert.match((await open()).response, /^HTTP\/1.1 503/);
    first.raw.destroy();
  });

  test("frames that come together with the handshake are not lost", async () => {
    const together = await RawSocket.open(port);
    together.write(
      Buffer.concat([Buffer.from(handshake("/ws")), clientFrame(text, '{"type":"ping","id":1}')]),
    );
    await until("the answer", () => together.received.includes("ping.ok"));
    together.destroy();
  });

  test("the counts are those of the wire", async () => {
    const client = await open();
    client.send(text, '{"type":"ping","id":1}');
    const answer = await client.next();
    assert.deepEqual(listener.traffic, {
      connections: 1,
      accepted: 1,
      refused: 0,
      bytesIn: 6 + 22,
      bytesOut: 2 + answer.payload.length,
      framesIn: 1,
      framesOut: 1,
    });
    client.raw.destroy();
  });
});
