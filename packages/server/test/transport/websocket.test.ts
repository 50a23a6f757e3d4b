import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  type DecodedFrame,
  encodeFrame,
  type Frame,
  jsonCodec,
  limits,
  messagePackCodec,
  readFrames,
} from "@hongyan/protocol";
import { WebSocket } from "ws";
import { attachWebSocket, type WebSocketOptions } from "../../src/transport/websocket/attach.ts";
import type { WebSocketUpgrades } from "../../src/transport/websocket/upgrade.ts";
import { EchoAcceptor, messageFrame, TestJournal } from "./echo-acceptor.ts";
import { RawSocket, until } from "./raw-socket.ts";
import { clientFrame, closePayload, handshake, RawWebSocket } from "./raw-websocket.ts";

const text = 1;
const binary = 2;

let http: Server;
let port: number;
let acceptor: EchoAcceptor;
let journal: TestJournal;
let listener: WebSocketUpgrades;

async function start(options: Partial<WebSocketOptions> = {}): Promise<void> {
  acceptor = new EchoAcceptor();
  journal = new TestJournal();
  http = createServer((_request, response) => response.end("page"));
  listener = attachWebSocket(http, { acceptor, journal, lingerMs: 100, ...options });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  port = (http.address() as AddressInfo).port;
}

async function stop(): Promise<void> {
  http.close();
  http.closeAllConnections();
  for (const { connection } of acceptor.seen) connection.close("going_away");
  await listener.close();
}

const open = (): Promise<RawWebSocket> => RawWebSocket.open(port, "/ws");
const bytesOf = (frame: Frame, codec = jsonCodec): Uint8Array => encodeFrame(frame, codec);
const ping = (id: number): Frame => ({ type: "ping", id });

function decoded(payload: Uint8Array): DecodedFrame[] {
  const frames: DecodedFrame[] = [];
  readFrames(payload, {
    frame: (frame) => frames.push(frame),
    bad(error) {
      throw error;
    },
  });
  return frames;
}

const jsonOf = (payload: Buffer): Record<string, unknown> => JSON.parse(payload.toString());

beforeEach(() => start());
afterEach(() => stop());

describe("frames", () => {
  test("text mode: one JSON object per message, both ways", async () => {
    const client = await open();
    client.send(text, '{"type":"ping","id":1}');
    client.send(text, '{"type":"ping","id":2}');
    assert.deepEqual(jsonOf((await client.next()).payload), { type: "ping.ok", id: 1, time: 1, receipts: 0 });
    const second = await client.next();
    assert.equal(second.opcode, text);
    assert.equal(jsonOf(second.payload).id, 2);
    assert.equal(acceptor.last.connection.encoding, "text");
    client.raw.destroy();
  });

  for (const codec of [jsonCodec, messagePackCodec]) {
    test(`the first frame settles the encoding: ${codec.name}`, async () => {
      const client = await open();
      client.send(binary, bytesOf(ping(1), codec));
      const { opcode, payload } = await client.next();
      assert.equal(opcode, binary);
      assert.equal(decoded(payload)[0]?.codec, codec);
      assert.equal(acceptor.last.connection.encoding, codec.name);
      client.raw.destroy();
    });
  }

  test("it stays settled when a frame of another encoding follows", async () => {
    const client = await open();
    client.send(text, '{"type":"ping","id":1}');
    client.send(binary, bytesOf(ping(2)));
    await client.next();
    const second = await client.next();
    assert.equal(second.opcode, text);
    assert.equal(jsonOf(second.payload).id, 2);
    client.raw.destroy();
  });

  test("several frames in one message are handed on in their order, and answered in one message", async () => {
    const client = await open();
    client.send(binary, Buffer.concat([1, 2, 3, 4].map((id) => bytesOf(ping(id)))));
    const { payload } = await client.next();
    assert.deepEqual(
      decoded(payload).map(({ frame }) => frame.id),
      [1, 2, 3, 4],
    );
    client.raw.destroy();
  });

  test("a body is handed on unchanged, whatever its size", async () => {
    const client = await open();
    client.send(binary, bytesOf(ping(1)));
    await client.next();
    for (const size of [0, 200, 20_000, 300_000, limits.bodyBytesMax]) {
      const body = Buffer.alloc(size, size % 251);
      client.send(
        binary,
        bytesOf({ type: "send", id: 9, conversation: "group", clientMessageId: "p:1", body }),
      );
      const [answer] = decoded((await client.next()).payload);
      assert.ok(answer?.frame.type === "message" && Buffer.from(answer.frame.body ?? []).equals(body));
    }
    client.raw.destroy();
  });

  test("large and small frames of one tick keep their order", async () => {
    const client = await open();
    client.send(binary, bytesOf(ping(1)));
    await client.next();
    const sizes = [10, 20_000, 10, 10, 70_000, 10, 16_384, 10];
    for (const [i, size] of sizes.entries()) acceptor.last.push("group", Buffer.alloc(size, i), i + 1);
    const got: DecodedFrame[] = [];
    while (got.length < sizes.length) got.push(...decoded((await client.next()).payload));
    assert.deepEqual(
      got.map(({ frame }) => [
        frame.id,
        "body" in frame && frame.body?.length,
        "body" in frame && frame.body?.[0],
      ]),
      sizes.map((size, i) => [i + 1, size, i]),
    );
    client.raw.destroy();
  });

  test("the bytes of a frame are built once for all its receivers", async () => {
    const clients = await Promise.all([open(), open(), open()]);
    for (const client of clients) client.send(binary, bytesOf(ping(1)));
    for (const client of clients) await client.next();
    const frame = messageFrame("group", Buffer.from("hello"));
    let built = 0;
    const wrapped = frame.wrapped.bind(frame);
    frame.wrapped = (key, build) =>
      wrapped(key, (of) => {
        built++;
        return build(of);
      });
    for (const { connection } of acceptor.seen) connection.write(frame);
    const got = await Promise.all(clients.map((client) => client.next()));
    assert.equal(built, 1);
    for (const { payload } of got) assert.deepEqual(payload, got[0]?.payload);
    for (const client of clients) client.raw.destroy();
  });

  test("G10 connections with other frames in the same tick get their own, those with the same frames the same", async () => {
    const clients = await Promise.all([open(), open(), open(), open()]);
    for (const client of clients) client.send(binary, bytesOf(ping(1)));
    for (const client of clients) await client.next();
    const shared = messageFrame("group", Buffer.from("to all"));
    const alone = ["a", "b", "b", "c"].map((name) => messageFrame(name, Buffer.from(`only ${name}`)));
    const lists = alone.map((frame) => [shared, frame]);
    lists[2] = lists[1] ?? [];
    for (const [i, { connection }] of acceptor.seen.entries())
      for (const frame of lists[i] ?? []) connection.write(frame);
    // Who was accepted first need not be the first client: what counts is that each list arrived whole, once.
    const got: string[] = [];
    for (const client of clients) {
      const frames = decoded((await client.next()).payload);
      got.push(
        frames
          .map(({ frame }) => ("body" in frame ? Buffer.from(frame.body ?? []).toString() : "?"))
          .join(", "),
      );
    }
    assert.deepEqual(got.toSorted(), [
      "to all, only a",
      "to all, only b",
      "to all, only b",
      "to all, only c",
    ]);
    for (const client of clients) client.raw.destroy();
  });

  test("a tick's frames leave in one write", async () => {
    const client = await open();
    client.send(text, '{"type":"ping","id":1}');
    await client.next();
    let chunks = 0;
    client.raw.socket.on("data", () => {
      chunks++;
    });
    for (let i = 1; i <= 20; i++) acceptor.last.reply({ type: "ack.ok", id: i });
    await until("all of them", () => client.frames.length === 20);
    assert.equal(chunks, 1);
    client.raw.destroy();
  });
});

describe("bad frames", () => {
  test("a command with a bad field is rejected with its id, and the connection stays", async () => {
    const client = await open();
    client.send(text, '{"type":"history","id":7,"conversation":5}');
    assert.deepEqual(jsonOf((await client.next()).payload), {
      type: "error",
      id: 7,
      code: 2,
      name: "bad_request",
      message: "field conversation must be a string",
    });
    client.send(text, '{"type":"ping","id":8}');
    assert.equal(jsonOf((await client.next()).payload).id, 8);
    client.raw.destroy();
  });

  const fatal: [string, number, Uint8Array | string, string, number][] = [
    ["text that is not JSON", text, "hello", "bad_frame", 4203],
    ["a JSON list", text, "[]", "bad_frame", 4203],
    ["a frame that is cut off", binary, bytesOf(ping(1)).subarray(0, 11), "bad_frame", 4203],
    [
      "a length below the header",
      binary,
      Buffer.from("00000001020000000000000100", "hex"),
      "bad_frame",
      4203,
    ],
    ["a giant length", binary, Buffer.from("ffffffff020000000000000100", "hex"), "too_large", 4205],
    ["an unknown codec", binary, Buffer.from("000000080203000000000001", "hex"), "bad_frame", 4203],
    [
      "fields longer than the frame",
      binary,
      Buffer.from("000000080200ffff00000001", "hex"),
      "bad_frame",
      4203,
    ],
    ["bad UTF-8 in a field", binary, badUtf8(), "bad_frame", 4203],
    ["too many frames in one message", binary, manyFrames(), "too_large", 4205],
  ];
  for (const [name, opcode, payload, error, code] of fatal) {
    test(`${name}: error, close frame, close code`, async () => {
      const client = await open();
      client.send(opcode, payload);
      const got: Record<string, unknown>[] = [];
      for (;;) {
        const frame = await client.next();
        if (frame.opcode === 8) {
          assert.equal(frame.payload.readUInt16BE(0), code);
          assert.equal(frame.payload.subarray(2).toString(), error);
          break;
        }
        got.push(
          ...(frame.opcode === text
            ? [jsonOf(frame.payload)]
            : decoded(frame.payload).map((one) => ({ ...one.frame }))),
        );
      }
      assert.deepEqual(
        got.map((frame) => frame.type),
        ["error", "close"],
      );
      assert.equal(got[0]?.name, error);
      assert.equal(got[1]?.code, code);
      client.send(8, closePayload(code));
      await client.raw.ends();
      await until("the core to be told", () => acceptor.last.closes === 1);
    });
  }

  test("a fault of the core ends its connection and no other", async () => {
    const [client, other] = [await open(), await open()];
    client.send(text, '{"type":"list","id":1,"limit":666}');
    assert.equal(jsonOf((await client.next()).payload).code, 4003);
    other.send(text, '{"type":"ping","id":2}');
    assert.equal(jsonOf((await other.next()).payload).id, 2);
    assert.deepEqual(journal.warnings, ["fault while handling a frame"]);
    client.raw.destroy();
    other.raw.destroy();
  });
});

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
  test("G8 what a peer does not read is counted, held as shared bytes, and reported when it is gone", async () => {
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
    let messages = 0;
    for (; read < written; messages++) read += decoded((await slow.next()).payload).length;
    assert.equal(read, written);
    assert.ok(
      messages < written * 0.8,
      `what waits travels together: ${written} frames in ${messages} messages`,
    );
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

function badUtf8(): Uint8Array {
  const bytes = Buffer.from(bytesOf({ type: "join", id: 1, conversation: "ab" }));
  bytes[bytes.indexOf("ab")] = 0xff;
  return bytes;
}

function manyFrames(): Uint8Array {
  const one = Buffer.from(bytesOf({ type: "disconnect", id: 1 }, jsonCodec));
  return Buffer.concat(Array.from({ length: limits.framesPerMessageMax + 1 }, () => one));
}
