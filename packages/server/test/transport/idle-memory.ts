/**
 * Memory per idle connection of the transports alone: `node --expose-gc idle-memory.ts [CONNECTIONS [KIND …]]`. The
 * clients live in a second process. `bare` is a socket with a data listener and nothing else.
 */
import { fork } from "node:child_process";
import { createServer as createHttpServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Acceptor, Inbound, Journal } from "@hongyan/core";
import { heldConnections } from "../../src/transport/held.ts";
import { listenTcp } from "../../src/transport/tcp.ts";
import { attachWebSocket } from "../../src/transport/websocket/attach.ts";

const inbound: Inbound = { receive() {}, reject() {}, drained() {}, closed() {} };
const acceptor: Acceptor = { accept: () => inbound };
const journal: Journal = { info() {}, warn() {} };

type Kind = "bare" | "tcp" | "websocket" | "poll";

interface Order {
  readonly kind: Kind;
  readonly port: number;
  readonly count: number;
  readonly ids: readonly string[];
}

async function main(count: number, kinds: readonly Kind[]): Promise<void> {
  const child = fork(import.meta.filename, ["clients"]);
  const told = (): Promise<void> => new Promise((resolve) => child.once("message", () => resolve()));
  const open = async (order: Order): Promise<void> => {
    child.send(order);
    await told();
  };

  const bare = createServer((socket) => {
    socket.on("data", () => {});
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => bare.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  const tcp = await listenTcp({ acceptor, journal, port: 0 });
  let id = 0;
  const held = heldConnections({ acceptor, journal, random: { id: () => `connection-${id++}` }, nowMs: 0 });
  const http = createHttpServer((request, response) => held.handle(request, response));
  attachWebSocket(http, { acceptor, journal });
  await new Promise<void>((resolve) => http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  const httpPort = (http.address() as AddressInfo).port;

  // What the runtime makes at the first connections does not count.
  await open({ kind: "websocket", port: httpPort, count: 500, ids: [] });
  await open({ kind: "tcp", port: tcp.port, count: 500, ids: [] });
  for (const kind of kinds) {
    const ids: string[] = [];
    if (kind === "poll") for (let i = 0; i < count; i++) ids.push(await openHeld(httpPort));
    const port =
      kind === "bare" ? (bare.address() as AddressInfo).port : kind === "tcp" ? tcp.port : httpPort;
    const before = await settled();
    await open({ kind, port, count, ids });
    const after = await settled();
    const per = (of: keyof NodeJS.MemoryUsage): string =>
      `${((after[of] - before[of]) / count).toFixed(0).padStart(6)} B`;
    console.log(
      `${kind.padEnd(10)} per connection: rss ${per("rss")}   heap ${per("heapUsed")}   external ${per("external")}   array buffers ${per("arrayBuffers")}`,
    );
  }
  child.kill();
  process.exit();
}

function openHeld(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: "127.0.0.1", path: "/v1/connections", method: "POST" },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve(JSON.parse(text).connection));
      },
    );
    request.on("error", reject);
    request.setHeader("Content-Type", "application/json");
    request.end('{"type":"ping","id":1}');
  });
}

async function settled(): Promise<NodeJS.MemoryUsage> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return process.memoryUsage();
}

/** The other process: opens what it is told and keeps it. */
function clients(): void {
  const sockets: Socket[] = [];
  process.on("message", async (order: Order) => {
    for (let from = 0; from < order.count; from += 200) {
      const batch: Promise<Socket>[] = [];
      for (let i = from; i < Math.min(order.count, from + 200); i++) batch.push(openSocket(order, i));
      sockets.push(...(await Promise.all(batch)));
    }
    setTimeout(() => process.send?.("open"), 300);
  });
  process.on("disconnect", () => process.exit());
}

function openSocket({ kind, port, ids }: Order, index: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      if (kind === "websocket") {
        socket.write(
          "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept-Language: en\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        socket.once("data", () => resolve(socket));
      } else if (kind === "poll") {
        socket.write(
          `GET /v1/connections/${ids[index]}?after=0 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n`,
        );
        resolve(socket);
      } else resolve(socket);
    });
    socket.on("error", () => {});
  });
}

if (process.argv[2] === "clients") clients();
else
  await main(
    Number(process.argv[2] ?? 5000),
    process.argv.length > 3 ? (process.argv.slice(3) as Kind[]) : ["bare", "tcp", "websocket", "poll"],
  );
