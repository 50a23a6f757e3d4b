/**
 * Fan-out of one frame with a body of 200 bytes to many connections, beside a bare loop of `socket.write` over the
 * same number of sockets: `node fan-out.ts [CONNECTIONS]`. The receivers live in a second process and only count.
 */
import { fork } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Acceptor, Connection, Inbound, Journal } from "@hongyan/core";
import { SharedFrame } from "@hongyan/protocol";
import { listenTcp } from "../../src/transport/tcp.ts";
import { attachWebSocket } from "../../src/transport/websocket/attach.ts";

const inbound: Inbound = { receive() {}, reject() {}, drained() {}, closed() {} };
const journal: Journal = { info() {}, warn() {} };
const roundMs = 1500;
const body = Buffer.alloc(200, "x");

interface Order {
  readonly port: number;
  readonly count: number;
  readonly isWebSocket: boolean;
}

async function main(count: number): Promise<void> {
  const child = fork(import.meta.filename, ["receivers"]);
  const open = (order: Order): Promise<void> =>
    new Promise((resolve) => {
      child.once("message", () => resolve());
      child.send(order);
    });

  const sockets: Socket[] = [];
  const bare = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => bare.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  const overTcp: Connection[] = [];
  const tcp = await listenTcp({ acceptor: keeping(overTcp), journal, port: 0 });
  const overWebSocket: Connection[] = [];
  const http = createHttpServer();
  attachWebSocket(http, { acceptor: keeping(overWebSocket), journal });
  await new Promise<void>((resolve) => http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));

  await open({ port: (bare.address() as AddressInfo).port, count, isWebSocket: false });
  await open({ port: tcp.port, count, isWebSocket: false });
  await open({ port: (http.address() as AddressInfo).port, count, isWebSocket: true });

  const frameBytes = message(1).bytes("json");
  for (let round = 0; round < 2; round++) {
    await measure("bare socket.write", () => {
      for (const socket of sockets) if (!socket.writableNeedDrain) socket.write(frameBytes);
      return sockets.length;
    });
    for (const frames of [1, 10]) {
      await measure(`tcp, ${frames} a tick`, () => fanOut(overTcp, frames));
      await measure(`websocket, ${frames} a tick`, () => fanOut(overWebSocket, frames));
    }
  }
  child.kill();
  process.exit();
}

function keeping(connections: Connection[]): Acceptor {
  return {
    accept(connection) {
      connections.push(connection);
      return inbound;
    },
  };
}

function fanOut(connections: readonly Connection[], frames: number): number {
  let written = 0;
  for (let i = 0; i < frames; i++) {
    const frame = message(i + 1);
    for (const connection of connections) {
      if (connection.bufferedBytes > 64 * 1024) continue;
      connection.write(frame);
      written++;
    }
  }
  return written;
}

function message(seq: number): SharedFrame {
  return new SharedFrame({
    type: "message",
    id: 0,
    conversation: "group",
    seq,
    from: "alice",
    time: 1,
    clientMessageId: "p:1",
    body,
  });
}

async function measure(name: string, send: () => number): Promise<void> {
  let frames = 0;
  const start = performance.now();
  const cpu = process.cpuUsage();
  while (performance.now() - start < roundMs) {
    frames += send();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const perFrame = ((user + system) / frames).toFixed(2);
  console.log(
    `${name.padEnd(24)} ${Math.round(frames / seconds)
      .toLocaleString("en")
      .padStart(12)} frames/s   ${perFrame} µs of this process each`,
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
}

/** The other process. */
function receivers(): void {
  process.on("message", async ({ port, count, isWebSocket }: Order) => {
    const opened: Promise<void>[] = [];
    for (let i = 0; i < count; i++) opened.push(receive(port, isWebSocket));
    await Promise.all(opened);
    setTimeout(() => process.send?.("open"), 200);
  });
  process.on("disconnect", () => process.exit());
}

function receive(port: number, isWebSocket: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      onread: {
        buffer: Buffer.alloc(64 * 1024),
        callback() {
          resolve();
          return true;
        },
      },
    });
    socket.on("error", () => {});
    socket.on("connect", () => {
      if (!isWebSocket) return resolve();
      socket.write(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    });
  });
}

if (process.argv[2] === "receivers") receivers();
else await main(Number(process.argv[2] ?? 1000));
