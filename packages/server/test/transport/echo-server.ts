/**
 * A WebSocket echo server for conformance suites: `node echo-server.ts [PORT]`. With the Autobahn suite:
 * `wstest -m fuzzingclient -s SPEC`, where SPEC names `ws://127.0.0.1:PORT/` and cases 1–7, 9 and 10.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebSocketPeer } from "../../src/transport/websocket/peer.ts";
import { WebSocketUpgrades } from "../../src/transport/websocket/upgrade.ts";

export interface EchoServer {
  readonly port: number;
  readonly upgrades: WebSocketUpgrades;
  /** Who is connected. */
  readonly peers: ReadonlySet<WebSocketPeer>;
  /** Ends all connections. */
  close(): Promise<void>;
}

export async function startEchoServer(
  port = 0,
  options: { messageBytesMax?: number; lingerMs?: number; unfinishedBytesMax?: number } = {},
): Promise<EchoServer> {
  const server: Server = createServer();
  const peers = new Set<WebSocketPeer>();
  const upgrades = new WebSocketUpgrades(server, {
    path: "/",
    messageBytesMax: 64 * 1024 * 1024,
    ...options,
    open(peer) {
      peers.add(peer);
      return {
        onMessage: (data, isText) => peer.send(data, isText),
        onDrained() {},
        onClosed: () => peers.delete(peer),
      };
    },
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    upgrades,
    peers,
    async close() {
      server.close();
      for (const peer of peers) peer.close(1001, "");
      await upgrades.close();
    },
  };
}

if (import.meta.main) {
  const echo = await startEchoServer(Number(process.argv[2] ?? 9001));
  console.log(`echo server at ws://127.0.0.1:${echo.port}/`);
}
