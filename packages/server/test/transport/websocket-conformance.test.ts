/** What the Autobahn suite asks of a server, in short: it runs without Python, in a second. */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { checkUtf8 } from "../../src/transport/websocket/utf8-check.ts";
import { type EchoServer, startEchoServer } from "./echo-server.ts";
import { until } from "./raw-socket.ts";
import { clientFrame, closePayload, RawWebSocket } from "./raw-websocket.ts";

const messageBytesMax = 1024 * 1024;
const text = 1;
const binary = 2;
const ping = 9;
const pong = 10;
const close = 8;

let echo: EchoServer;

before(async () => {
  echo = await startEchoServer(0, { messageBytesMax, lingerMs: 100 });
});

after(() => echo.close());

const open = (): Promise<RawWebSocket> => RawWebSocket.open(echo.port);

/** The server must fail the connection with `code`. */
async function fails(code: number, ...frames: Buffer[]): Promise<void> {
  const client = await open();
  client.raw.write(Buffer.concat(frames));
  assert.equal(await client.closes(), code);
}

describe("messages", () => {
  for (const opcode of [text, binary]) {
    for (const size of [0, 1, 125, 126, 127, 128, 1000, 65_535, 65_536, 300_000]) {
      test(`${opcode === text ? "text" : "binary"} of ${size} bytes comes back`, async () => {
        const client = await open();
        const payload = Buffer.alloc(size, "*");
        client.send(opcode, payload);
        const frame = await client.next();
        assert.equal(frame.opcode, opcode);
        assert.ok(frame.fin);
        assert.ok(frame.payload.equals(payload));
        client.raw.destroy();
      });
    }
  }

  test("byte by byte", async () => {
    const client = await open();
    const payload = "über alle Grenzen 鸿雁";
    for (const byte of clientFrame(text, payload)) await client.raw.writeAll(Buffer.from([byte]));
    assert.equal((await client.next()).payload.toString(), payload);
    client.raw.destroy();
  });

  for (const size of [64, 997, 2048]) {
    test(`65,536 bytes chopped to ${size}`, async () => {
      const client = await open();
      const payload = Buffer.from(Array.from({ length: 65_536 }, (_, i) => i & 0xff));
      const bytes = clientFrame(binary, payload);
      for (let at = 0; at < bytes.length; at += size)
        await client.raw.writeAll(bytes.subarray(at, at + size));
      assert.ok((await client.next()).payload.equals(payload));
      client.raw.destroy();
    });
  }

  test("several in one packet keep their order", async () => {
    const client = await open();
    client.raw.write(
      Buffer.concat([clientFrame(text, "a"), clientFrame(ping, "b"), clientFrame(binary, "c")]),
    );
    const got = [await client.next(), await client.next(), await client.next()];
    assert.deepEqual(
      got.map(({ opcode, payload }) => [opcode, payload.toString()]),
      [
        [text, "a"],
        [pong, "b"],
        [binary, "c"],
      ],
    );
    client.raw.destroy();
  });

  test("a client of another make understands us", async () => {
    const client = new WebSocket(`ws://127.0.0.1:${echo.port}/`);
    await new Promise((resolve) => client.once("open", resolve));
    const got = new Promise((resolve) =>
      client.once("message", (data, isBinary) => resolve([String(data), isBinary])),
    );
    client.send("hello".repeat(20_000));
    assert.deepEqual(await got, ["hello".repeat(20_000), false]);
    const closed = new Promise((resolve) => client.once("close", (code) => resolve(code)));
    client.close(1000, "bye");
    assert.equal(await closed, 1000);
  });
});

describe("fragments", () => {
  test("are put together, with control frames in between answered at once", async () => {
    const client = await open();
    client.send(text, "one ", { fin: false });
    client.send(ping, "p1");
    client.send(0, "two ", { fin: false });
    client.send(ping, "p2");
    client.send(0, "", { fin: false });
    client.send(0, "three");
    const got = [await client.next(), await client.next(), await client.next()];
    assert.deepEqual(
      got.map(({ opcode, payload }) => [opcode, payload.toString()]),
      [
        [pong, "p1"],
        [pong, "p2"],
        [text, "one two three"],
      ],
    );
    client.raw.destroy();
  });

  test("may cut characters", async () => {
    const client = await open();
    const bytes = Buffer.from("κόσμε 鸿雁 🪿");
    bytes.forEach((byte, i) => {
      client.send(i === 0 ? text : 0, Buffer.from([byte]), { fin: i === bytes.length - 1 });
    });
    assert.deepEqual((await client.next()).payload, bytes);
    client.raw.destroy();
  });

  test("a control frame may itself come in pieces, in the middle of a message", async () => {
    const client = await open();
    const bytes = Buffer.concat([
      clientFrame(text, "a", { fin: false }),
      clientFrame(ping, "pingping"),
      clientFrame(0, "b"),
    ]);
    for (const byte of bytes) await client.raw.writeAll(Buffer.from([byte]));
    assert.equal((await client.next()).payload.toString(), "pingping");
    assert.equal((await client.next()).payload.toString(), "ab");
    client.raw.destroy();
  });

  test("nothing to continue", () => fails(1002, clientFrame(0, "x")));
  test("a new message inside a message", () =>
    fails(1002, clientFrame(text, "x", { fin: false }), clientFrame(text, "y")));
});

describe("violations", () => {
  for (const reserved of [1, 2, 3, 4, 5, 6, 7]) {
    test(`reserved bits ${reserved}`, () => fails(1002, clientFrame(text, "x", { reserved })));
  }
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    test(`reserved opcode ${opcode}`, () => fails(1002, clientFrame(opcode, "")));
  }
  test("an unmasked frame", () => fails(1002, clientFrame(text, "x", { isMasked: false })));
  test("a ping of 126 bytes", () => fails(1002, clientFrame(ping, Buffer.alloc(126))));
  test("a fragmented ping", () => fails(1002, clientFrame(ping, "x", { fin: false })));
  test("a length with the highest bit", () => fails(1002, clientFrame(binary, "", { length: 1n << 63n })));
  test("a length beyond all memory", () => fails(1009, clientFrame(binary, "", { length: 1n << 62n })));
  test("a message above the limit, announced", () =>
    fails(1009, clientFrame(binary, "", { length: BigInt(messageBytesMax + 1) })));
  test("a message above the limit, in fragments", () =>
    fails(1009, clientFrame(binary, Buffer.alloc(messageBytesMax), { fin: false }), clientFrame(0, "x")));
  test("the messages before a violation are answered", async () => {
    const client = await open();
    client.raw.write(Buffer.concat([clientFrame(text, "good"), clientFrame(3, "")]));
    assert.equal((await client.next()).payload.toString(), "good");
    assert.equal(await client.closes(), 1002);
  });
});

const malformed: Record<string, string> = {
  "a lonely continuation byte": "80",
  "a lead byte without the rest": "ce",
  "an overlong slash": "c0af",
  "an overlong NUL of three bytes": "e08080",
  "a surrogate": "eda080",
  "a pair of surrogates": "eda081edb080",
  "beyond the last character": "f4908080",
  "a byte that never occurs": "68656c6c6fff",
  "five bytes": "f888808080",
  "cut in the middle": "cebae1bdb9cf83cebcceb5eda080656469746564",
};

describe("text", () => {
  for (const [name, hex] of Object.entries(malformed)) {
    test(`${name} is refused`, () => fails(1007, clientFrame(text, Buffer.from(hex, "hex"))));
    test(`${name}, in fragments of one byte, is refused`, async () => {
      const bytes = Buffer.from(hex, "hex");
      await fails(
        1007,
        ...[...bytes].map((byte, i) =>
          clientFrame(i === 0 ? text : 0, Buffer.from([byte]), { fin: i === bytes.length - 1 }),
        ),
      );
    });
  }

  test("a message of fragments that ends in the middle of a character is refused", () =>
    fails(
      1007,
      clientFrame(text, Buffer.from("ceba", "hex"), { fin: false }),
      clientFrame(0, Buffer.from("ce", "hex")),
    ));

  test("malformed text is refused as soon as it is, not when the message ends", () =>
    fails(1007, clientFrame(text, Buffer.from("f490", "hex"), { fin: false })));

  test("every text in every piece: the check in steps agrees with the check of the whole", () => {
    const samples = [
      ...Object.values(malformed).map((hex) => Buffer.from(hex, "hex")),
      Buffer.from("aκ鸿🪿b"),
      Buffer.from("퟿�\u{10ffff}"),
    ];
    let random = 1;
    for (let i = 0; i < 3000; i++) {
      const bytes = Buffer.alloc(1 + (i % 7));
      for (let at = 0; at < bytes.length; at++) {
        random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
        bytes[at] = [0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xa0, 0x90, random >>> 24][
          (random >>> 16) % 11
        ] as number;
      }
      samples.push(bytes);
    }
    for (const bytes of samples) {
      for (let cut = 0; cut <= bytes.length; cut++) {
        const first = checkUtf8(bytes, 0, cut);
        const second = first < 0 ? -1 : checkUtf8(bytes, first, bytes.length);
        assert.equal(second === bytes.length, isUtf8(bytes), `${bytes.toString("hex")} cut at ${cut}`);
      }
    }
  });
});

describe("closing", () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
    test(`code ${code} is answered with the same`, () =>
      fails(code, clientFrame(close, closePayload(code, "bye"))));
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
    test(`code ${code} is refused`, () => fails(1002, clientFrame(close, closePayload(code))));
  }
  test("no code is answered with none", () => fails(1005, clientFrame(close, "")));
  test("half a code is refused", () => fails(1002, clientFrame(close, "x")));
  test("a reason of 123 bytes is allowed", () =>
    fails(1000, clientFrame(close, closePayload(1000, Buffer.alloc(123, "*")))));
  test("a reason of 124 bytes is refused", () =>
    fails(1002, clientFrame(close, closePayload(1000, Buffer.alloc(124, "*")))));
  test("a reason that is not UTF-8 is refused", () =>
    fails(1007, clientFrame(close, closePayload(1000, Buffer.from("ceba80ff", "hex")))));
  test("what follows a close frame is ignored", async () => {
    const client = await open();
    client.raw.write(
      Buffer.concat([
        clientFrame(close, closePayload(1000)),
        clientFrame(text, "late"),
        clientFrame(ping, "late"),
      ]),
    );
    assert.equal(await client.closes(), 1000);
    assert.deepEqual(client.frames, []);
  });
  test("after our close frame messages are ignored, until theirs ends the connection", async () => {
    const client = await open();
    for (const peer of echo.peers) peer.close(1001, "");
    client.raw.write(
      Buffer.concat([
        clientFrame(text, "late"),
        clientFrame(ping, "late"),
        clientFrame(close, closePayload(1001)),
      ]),
    );
    assert.equal(await client.closes(), 1001);
    assert.deepEqual(client.frames, []);
  });
  test("a close frame in the middle of a message ends it", () =>
    fails(1000, clientFrame(text, "x", { fin: false }), clientFrame(close, closePayload(1000))));
  test("a client that never ends its side is cut off", async () => {
    const client = await open();
    client.raw.socket.allowHalfOpen = true;
    client.send(close, closePayload(1000));
    await until("the server to forget it", () => echo.upgrades.traffic.connections === 0);
    client.raw.destroy();
  });
});

describe("control frames", () => {
  test("every ping of ten is answered in order", async () => {
    const client = await open();
    client.raw.write(Buffer.concat(Array.from({ length: 10 }, (_, i) => clientFrame(ping, `payload ${i}`))));
    for (let i = 0; i < 10; i++) assert.equal((await client.next()).payload.toString(), `payload ${i}`);
    client.raw.destroy();
  });
  test("a pong that nobody asked for is ignored", async () => {
    const client = await open();
    client.send(pong, "unasked");
    client.send(ping, "asked");
    assert.equal((await client.next()).payload.toString(), "asked");
    client.raw.destroy();
  });
  test("G8 a peer that pings and never reads does not make memory grow", async () => {
    const client = await open();
    const peer = [...echo.peers].at(-1);
    client.raw.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 2000 }, () => clientFrame(ping, Buffer.alloc(125))));
    let most = 0;
    for (let i = 0; i < 100; i++) {
      await client.raw.writeAll(pings);
      most = Math.max(most, peer?.queue.bufferedBytes ?? 0);
    }
    assert.ok(most > 32 * 1024, "the peer was not slow enough to show anything");
    assert.ok(most < 128 * 1024, `${most} bytes were queued`);
    client.raw.destroy();
  });
});
