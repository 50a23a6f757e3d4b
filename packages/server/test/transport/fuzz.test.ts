/**
 * Hostile peers: random bytes, lying lengths, cut and chopped frames. Whatever they send, nothing is thrown, memory
 * stays within the budget and is given back, and a neighbour is served all the time. `FUZZ_SEED` repeats a run.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { encodeFrame, jsonCodec, messagePackCodec } from "@hongyan/protocol";
import { type HeldConnections, heldConnections } from "../../src/transport/held.ts";
import { listenTcp, type TcpListener } from "../../src/transport/tcp.ts";
import { attachWebSocket } from "../../src/transport/websocket/attach.ts";
import type { WebSocketUpgrades } from "../../src/transport/websocket/upgrade.ts";
import { EchoAcceptor, TestJournal } from "./echo-acceptor.ts";
import { RawSocket, until } from "./raw-socket.ts";
import { clientFrame, RawWebSocket } from "./raw-websocket.ts";

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const rounds = Number(process.env.FUZZ_ROUNDS ?? 150);
const unfinishedBytesMax = 3_000_000;

class Dice {
  #state: number;

  constructor(from: number) {
    this.#state = from | 1;
  }

  /** A whole number below `end`. */
  below(end: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 0x1_0000_0000) * end);
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }
}

const acceptor = new EchoAcceptor();
const journal = new TestJournal();
let http: Server;
let upgrades: WebSocketUpgrades;
let tcp: TcpListener;
let held: HeldConnections;
let port: number;

before(async () => {
  const shared = { acceptor, journal, lingerMs: 50, unfinishedBytesMax };
  let ids = 0;
  held = heldConnections({ ...shared, random: { id: () => `id-${++ids}` }, nowMs: 0 });
  http = createServer((request, response) => {
    if (!held.handle(request, response)) response.writeHead(404).end();
  });
  upgrades = attachWebSocket(http, shared);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  port = (http.address() as AddressInfo).port;
  tcp = await listenTcp({ ...shared, port: 0 });
});

after(async () => {
  for (const { connection } of acceptor.seen) connection.close("going_away");
  http.close();
  http.closeAllConnections();
  await Promise.all([upgrades.close(), tcp.close(), held.close()]);
});

/** A good frame, somewhat damaged. */
function damaged(dice: Dice): Buffer {
  const bytes = Buffer.from(
    encodeFrame(
      {
        type: "send",
        id: dice.below(2 ** 32),
        conversation: "group",
        clientMessageId: "p:1",
        body: dice.bytes(dice.below(300)),
      },
      dice.one([jsonCodec, messagePackCodec]),
    ),
  );
  switch (dice.below(5)) {
    case 0:
      return bytes;
    case 1:
      return bytes.subarray(0, dice.below(bytes.length));
    case 2:
      bytes.writeUInt32BE(dice.one([0, 7, 8, bytes.length, 0xffffffff, 0x7fffffff, 1_000_000]), 0);
      return bytes;
    case 3:
      bytes.writeUInt16BE(dice.below(65_536), 6);
      return bytes;
    default:
      for (let i = 0; i < 5; i++) bytes[dice.below(bytes.length)] = dice.below(256);
      return bytes;
  }
}

/** A WebSocket frame around `payload`, right or wrong. */
function wrapped(dice: Dice, payload: Buffer): Buffer {
  const opcode = dice.one([0, 1, 2, 2, 2, 8, 9, 10, dice.below(16)]);
  const isLying = dice.below(6) === 0;
  return clientFrame(opcode, payload, {
    fin: dice.below(3) > 0,
    reserved: dice.below(30) === 0 ? dice.below(8) : 0,
    isMasked: dice.below(30) > 0,
    ...(isLying
      ? { length: dice.one([1_000_000n, 2_000_000n, 0xffffffffn, 1n << 62n, (1n << 64n) - 1n]) }
      : {}),
  });
}

/** Writes in pieces of random size and then leaves in one of several ways. */
async function assault(dice: Dice, raw: RawSocket, bytes: Buffer): Promise<void> {
  const isChopped = dice.below(3) === 0;
  for (let at = 0; at < bytes.length && !raw.hasClosed; ) {
    const size = isChopped ? 1 + dice.below(4) : 1 + dice.below(20_000);
    await Promise.race([raw.writeAll(bytes.subarray(at, at + size)), raw.ends()]);
    at += size;
    if (isChopped && at > 2000) break;
  }
  switch (dice.below(3)) {
    case 0:
      return raw.destroy();
    case 1:
      raw.socket.resetAndDestroy();
      return;
    default:
      raw.socket.end();
      await until("the server to end it", () => raw.hasClosed || raw.hasEnded);
      raw.destroy();
  }
}

async function onTcp(dice: Dice): Promise<void> {
  const pieces = Array.from({ length: 1 + dice.below(20) }, () =>
    dice.below(4) === 0 ? dice.bytes(dice.below(500)) : damaged(dice),
  );
  await assault(dice, await RawSocket.open(tcp.port), Buffer.concat(pieces));
}

async function onWebSocket(dice: Dice): Promise<void> {
  const { raw } = await RawWebSocket.open(port, "/ws");
  raw.socket.removeAllListeners("data");
  raw.socket.resume();
  const pieces = Array.from({ length: 1 + dice.below(20) }, () =>
    dice.below(5) === 0
      ? dice.bytes(dice.below(500))
      : wrapped(dice, dice.below(3) === 0 ? dice.bytes(dice.below(3000)) : damaged(dice)),
  );
  await assault(dice, raw, Buffer.concat(pieces));
}

async function onHttp(dice: Dice): Promise<void> {
  const body =
    dice.below(2) === 0
      ? damaged(dice)
      : Buffer.from(dice.one(["{", "[]", '{"type":5}', "[[[[", '{"type":"ping","id":1}', "\u{0}"]));
  const path = dice.one([
    "/v1/connections",
    "/v1/connections/id-1",
    "/v1/connections/id-1/stream",
    "/v1/connections/%00",
    "/ws",
  ]);
  const query = dice.one(["", "?after=0", "?after=99999999999999999999", "?after=%ff", "?wait=-1"]);
  const length = dice.below(3) === 0 ? dice.below(2000) : body.length;
  const head =
    `${dice.one(["GET", "POST", "DELETE", "OPTIONS", "PATCH"])} ${path}${query} HTTP/1.1\r\nHost: localhost\r\n` +
    `${dice.one(["Connection: Upgrade\r\nUpgrade: websocket\r\n", "", "Last-Event-ID: x\r\n", "Origin: null\r\n"])}` +
    `Content-Type: ${dice.one(["application/json", "application/octet-stream", "x"])}\r\nContent-Length: ${length}\r\n\r\n`;
  await assault(dice, await RawSocket.open(port), Buffer.concat([Buffer.from(head), body]));
}

/** Somebody who only wants to be served. */
async function neighbour(): Promise<{ asks(): Promise<void>; leaves(): void }> {
  const websocket = await RawWebSocket.open(port, "/ws");
  const overTcp = await RawSocket.open(tcp.port);
  let id = 0;
  return {
    async asks() {
      id++;
      websocket.send(1, JSON.stringify({ type: "ping", id }));
      assert.equal(JSON.parse((await websocket.next()).payload.toString()).id, id);
      overTcp.received = Buffer.alloc(0);
      overTcp.write(encodeFrame({ type: "ping", id }, jsonCodec));
      await until("the answer", () => overTcp.received.length >= 12);
      assert.equal(overTcp.received.readUInt32BE(8), id);
    },
    leaves() {
      websocket.raw.destroy();
      overTcp.destroy();
    },
  };
}

describe(`G8 hostile peers harm only themselves (seed ${seed})`, () => {
  const attacks: [string, (dice: Dice) => Promise<void>][] = [
    ["tcp", onTcp],
    ["websocket", onWebSocket],
    ["http", onHttp],
  ];
  for (const [name, attack] of attacks) {
    test(name, async () => {
      const dice = new Dice(seed);
      const friend = await neighbour();
      for (let round = 0; round < rounds; round += 5) {
        await Promise.all(Array.from({ length: 5 }, () => attack(dice)));
        await friend.asks();
      }
      friend.leaves();
      await until("all to be forgotten", () => upgrades.traffic.connections + tcp.traffic.connections === 0);
    });
  }

  test("tens of thousands of tiny pieces of one frame cost no more than the frame", async () => {
    const raw = await RawSocket.open(tcp.port);
    const { raw: rawWebSocket } = await RawWebSocket.open(port, "/ws");
    const size = 1_000_000;
    const body = Buffer.alloc(size - 1000, 1);
    const frame = Buffer.from(
      encodeFrame({ type: "send", id: 1, conversation: "group", clientMessageId: "p:1", body }, jsonCodec),
    );
    const message = clientFrame(2, frame);
    for (let at = 0; at < 20_000; at++) {
      raw.write(frame.subarray(at, at + 1));
      rawWebSocket.write(message.subarray(at, at + 1));
      if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    raw.write(frame.subarray(20_000));
    rawWebSocket.write(message.subarray(20_000));
    await until(
      "both answers",
      () => raw.received.length > body.length && rawWebSocket.socket.bytesRead > body.length,
    );
    raw.destroy();
    rawWebSocket.destroy();
  });

  test("what was held is given back: the whole budget can be used again and again", async () => {
    for (let i = 0; i < 5; i++) {
      await until("all to be forgotten", () => upgrades.traffic.connections + tcp.traffic.connections === 0);
      const client = await RawWebSocket.open(port, "/ws");
      // Two fragments of a megabyte each: the message grows to two thirds of the budget.
      client.send(2, Buffer.alloc(1_000_000), { fin: false });
      client.send(0, Buffer.alloc(1_000_000), { fin: false });
      client.send(9, "still here?");
      assert.equal((await client.next()).opcode, 10);
      client.raw.destroy();
    }
  });

  test("G9 who exceeds what all may hold together is sent away, the others stay", async () => {
    const clients = await Promise.all([0, 1, 2, 3].map(() => RawWebSocket.open(port, "/ws")));
    for (const client of clients) client.send(2, Buffer.alloc(1_000_000), { fin: false });
    for (const client of clients) client.send(9, "still here?");
    const answers = await Promise.all(clients.map((client) => client.next()));
    const codes = answers.map(({ opcode, payload }) => (opcode === 8 ? payload.readUInt16BE(0) : opcode));
    assert.deepEqual(codes.toSorted(), [10, 10, 1013, 1013].toSorted());
    for (const client of clients) client.raw.destroy();
  });

  test("nothing was a fault of ours", () => {
    // Some of what is random looks like text or TLS.
    assert.deepEqual(
      journal.warnings.filter((event) => event !== "tcp.foreign"),
      [],
    );
  });
});
