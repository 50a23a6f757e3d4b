import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  type DecodedFrame,
  encodeFrame,
  type Frame,
  FrameReader,
  jsonCodec,
  messagePackCodec,
} from "@hongyan/protocol";
import { listenTcp, type TcpListener, type TcpOptions } from "../../src/transport/tcp.ts";
import { EchoAcceptor, messageFrame, TestJournal } from "./echo-acceptor.ts";
import { RawSocket, until } from "./raw-socket.ts";

let acceptor: EchoAcceptor;
let journal: TestJournal;
let listener: TcpListener;

async function start(options: Partial<TcpOptions> = {}): Promise<void> {
  acceptor = new EchoAcceptor();
  journal = new TestJournal();
  listener = await listenTcp({ acceptor, journal, port: 0, lingerMs: 100, ...options });
}

async function stop(): Promise<void> {
  for (const { connection } of acceptor.seen) connection.close("going_away");
  await listener.close();
}

/** A client that reads frames. */
async function open(): Promise<{ raw: RawSocket; frames: DecodedFrame[]; next(): Promise<DecodedFrame> }> {
  const raw = await RawSocket.open(listener.port);
  const frames: DecodedFrame[] = [];
  const reader = new FrameReader({
    frame: (decoded) => frames.push(decoded),
    bad(error) {
      throw error;
    },
  });
  raw.socket.on("data", (chunk: Buffer) => reader.push(Buffer.from(chunk)));
  return {
    raw,
    frames,
    async next() {
      await until("a frame", () => frames.length > 0 || raw.hasEnded);
      const frame = frames.shift();
      if (frame === undefined) throw new Error("the connection ended without a frame");
      return frame;
    },
  };
}

const ping = (id: number): Frame => ({ type: "ping", id });
const bytesOf = (frame: Frame, codec = jsonCodec): Uint8Array => encodeFrame(frame, codec);

beforeEach(() => start());
afterEach(() => stop());

describe("frames", () => {
  for (const codec of [jsonCodec, messagePackCodec]) {
    test(`the first frame settles the encoding: ${codec.name}`, async () => {
      const client = await open();
      client.raw.write(bytesOf(ping(1), codec));
      const { codec: answered, frame } = await client.next();
      assert.equal(answered, codec);
      assert.deepEqual(frame, { type: "ping.ok", id: 1, time: 1, receipts: 0, body: undefined });
      client.raw.destroy();
    });
  }

  test("byte by byte, and many in one packet", async () => {
    const client = await open();
    for (const byte of bytesOf(ping(1))) await client.raw.writeAll(Buffer.from([byte]));
    assert.equal((await client.next()).frame.id, 1);
    client.raw.write(Buffer.concat(Array.from({ length: 500 }, (_, i) => bytesOf(ping(i + 2)))));
    for (let i = 0; i < 500; i++) assert.equal((await client.next()).frame.id, i + 2);
    client.raw.destroy();
  });

  test("a body of 1 MiB in both directions", async () => {
    const client = await open();
    const body = Buffer.alloc(1024 * 1024, "b");
    client.raw.write(bytesOf({ type: "send", id: 1, conversation: "group", clientMessageId: "p:1", body }));
    const { frame } = await client.next();
    assert.ok(frame.type === "message" && body.equals(Buffer.from(frame.body ?? [])));
    client.raw.destroy();
  });

  test("a tick's frames leave in one write, in their order", async () => {
    const client = await open();
    client.raw.write(bytesOf(ping(1)));
    await client.next();
    let chunks = 0;
    client.raw.socket.on("data", () => {
      chunks++;
    });
    for (let id = 1; id <= 50; id++) acceptor.last.push("group", Buffer.alloc(200), id);
    await until("all of them", () => client.frames.length === 50);
    assert.deepEqual(
      client.frames.map(({ frame }) => frame.id),
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    assert.equal(chunks, 1);
    client.raw.destroy();
  });
});

describe("endings", () => {
  const fatal: [string, string, string, number][] = [
    ["a length below the header", "00000003", "bad_frame", 4203],
    ["a giant length", "ffffffff", "too_large", 4205],
    ["an unknown codec", "000000080203000000000001", "bad_frame", 4203],
    ["text", Buffer.from("hello\r\n").toString("hex"), "bad_frame", 4203],
    ["a handshake of TLS", "160301020001000001fc0303", "bad_frame", 4203],
  ];
  for (const [name, hex, error, code] of fatal) {
    test(`${name}: error, close frame, end`, async () => {
      const client = await open();
      client.raw.write(Buffer.from(hex, "hex"));
      const first = (await client.next()).frame;
      const second = (await client.next()).frame;
      assert.ok(first.type === "error" && first.name === error);
      assert.ok(second.type === "close" && second.code === code && second.reason === error);
      await client.raw.ends();
      await until("the core to be told", () => acceptor.last.closes === 1);
    });
  }

  test("an HTTP request is answered in HTTP, and said once in the log", async () => {
    for (let round = 0; round < 2; round++) {
      const raw = await RawSocket.open(listener.port);
      raw.write("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
      await raw.ends();
      const [head = "", body = ""] = raw.received.toString().split("\r\n\r\n");
      assert.match(head, /^HTTP\/1\.1 400 /);
      assert.match(head, new RegExp(`^Content-Length: ${body.length}\r$`, "m"));
      assert.match(body, /are at the HTTP port\.\n$/);
      await until("the core to be told", () => acceptor.last.closes === 1);
    }
    assert.deepEqual(journal.warnings, ["tcp.foreign"]);
  });

  test("a bad field is rejected with its id, and the connection stays", async () => {
    const client = await open();
    const bad = Buffer.from(bytesOf({ type: "join", id: 7, conversation: "ab" }));
    bad.write('{"conversation":1234}', 12);
    client.raw.write(Buffer.concat([bad, bytesOf(ping(8))]));
    const { frame } = await client.next();
    assert.ok(frame.type === "error" && frame.name === "bad_request" && frame.id === 7);
    assert.equal((await client.next()).frame.id, 8);
    client.raw.destroy();
  });

  test("close sends what is queued, then the close frame, then ends", async () => {
    const client = await open();
    client.raw.write(bytesOf(ping(1)));
    await client.next();
    acceptor.last.reply({ type: "ack.ok", id: 2 });
    acceptor.last.connection.close("replaced", 700);
    acceptor.last.reply({ type: "ack.ok", id: 3 });
    assert.equal((await client.next()).frame.id, 2);
    const { frame } = await client.next();
    assert.ok(frame.type === "close" && frame.code === 4201 && frame.retryAfterMs === 700);
    await client.raw.ends();
    assert.equal(client.frames.length, 0);
    await until("the core to be told", () => acceptor.last.closes === 1);
  });

  test("a client that neither reads nor ends is cut off", async () => {
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

  test("a fault of the core ends its connection and no other", async () => {
    const [client, other] = [await open(), await open()];
    client.raw.write(bytesOf({ type: "list", id: 1, limit: 666 }));
    const { frame } = await client.next();
    assert.ok(frame.type === "close" && frame.code === 4003);
    other.raw.write(bytesOf(ping(2)));
    assert.equal((await other.next()).frame.id, 2);
    assert.equal(journal.warnings.length, 1);
    other.raw.destroy();
  });

  test("a stopping listener accepts no more and waits for the old ones", async () => {
    const client = await open();
    const gone = listener.close();
    await assert.rejects(RawSocket.open(listener.port || 1));
    acceptor.last.connection.close("going_away");
    await client.raw.ends();
    await gone;
    await start();
  });
});

describe("bounds", () => {
  test("G8 a slow reader is counted, reported when it has caught up, and gets everything", async () => {
    await stop();
    await start({ drainedAboveBytes: 512 * 1024 });
    const client = await open();
    client.raw.socket.pause();
    const { last } = acceptor;
    const frame = messageFrame("group", Buffer.alloc(10_000));
    let written = 0;
    while (last.connection.bufferedBytes < 4 * 1024 * 1024) {
      last.connection.write(frame);
      written++;
      if (written % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(last.drains, 0);
    client.raw.socket.resume();
    await until("everything to be read", () => last.drains === 1 && client.frames.length === written);
    assert.equal(last.connection.bufferedBytes, 0);
    client.raw.destroy();
  });

  test("a reader that only pauses below the limit is not reported", async () => {
    const client = await open();
    client.raw.write(bytesOf(ping(1)));
    await client.next();
    for (let i = 0; i < 100; i++) acceptor.last.push("group", Buffer.alloc(1000));
    await until("everything to be read", () => client.frames.length === 100);
    assert.equal(acceptor.last.drains, 0);
    client.raw.destroy();
  });

  test("G9 unfinished frames of all connections together are bounded: who exceeds it is told when to come back", async () => {
    await stop();
    await start({ unfinishedBytesMax: 1_500_000 });
    // What counts is what has arrived: a length alone costs nothing.
    const announced = Buffer.concat([
      Buffer.from("00100000030000000000000100", "hex"),
      Buffer.alloc(1_000_000),
    ]);
    const [first, second] = [await open(), await open()];
    first.raw.write(announced);
    await until("the first to be held", () => listener.traffic.bytesIn === announced.length);
    second.raw.write(announced);
    const { frame } = await second.next();
    assert.ok(frame.type === "close" && frame.code === 4002 && frame.retryAfterMs === 5000);
    await second.raw.ends();
    first.raw.destroy();
    await until("the first to be forgotten", () => listener.traffic.connections === 0);
    const third = await open();
    third.raw.write(Buffer.concat([bytesOf(ping(3)), announced]));
    assert.equal((await third.next()).frame.id, 3);
    const fourth = await open();
    fourth.raw.write(bytesOf(ping(4)));
    assert.equal((await fourth.next()).frame.id, 4);
    assert.equal(listener.traffic.connections, 2, "there was room for the third");
    assert.equal(third.frames.length, 0);
    third.raw.destroy();
    fourth.raw.destroy();
  });

  test("more connections than allowed are dropped", async () => {
    await stop();
    await start({ connectionsMax: 1 });
    const first = await open();
    const second = await RawSocket.open(listener.port);
    await second.ends();
    assert.equal(listener.traffic.refused, 1);
    first.raw.destroy();
  });
});
