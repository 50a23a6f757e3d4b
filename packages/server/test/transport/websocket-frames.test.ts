import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type DecodedFrame, jsonCodec, limits, messagePackCodec } from "@hongyan/protocol";
import { messageFrame } from "./echo-acceptor.ts";
import { until } from "./raw-socket.ts";
import { closePayload } from "./raw-websocket.ts";
import {
  acceptor,
  binary,
  bytesOf,
  decoded,
  journal,
  jsonOf,
  open,
  ping,
  start,
  stop,
  text,
} from "./websocket-world.ts";

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

function badUtf8(): Uint8Array {
  const bytes = Buffer.from(bytesOf({ type: "join", id: 1, conversation: "ab" }));
  bytes[bytes.indexOf("ab")] = 0xff;
  return bytes;
}

function manyFrames(): Uint8Array {
  const one = Buffer.from(bytesOf({ type: "disconnect", id: 1 }, jsonCodec));
  return Buffer.concat(Array.from({ length: limits.framesPerMessageMax + 1 }, () => one));
}
