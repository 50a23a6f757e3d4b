import type { IncomingMessage, Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Turns } from "@hongyan/core";
import { ByteBudget } from "../byte-budget.ts";
import { FlushLoop } from "../flush-loop.ts";
import { Linger } from "../linger.ts";
import { noTraffic, type Traffic } from "../traffic.ts";
import { judgeHandshake, refusal } from "./handshake.ts";
import { type PeerContext, type WebSocketHandler, WebSocketPeer } from "./peer.ts";
import { webSocketPacking } from "./websocket-packing.ts";

export interface UpgradeOptions {
  /** Path of the endpoint, without a query. */
  readonly path: string;
  /** Largest message of a peer, all fragments together; a longer one ends the connection with 1009. */
  readonly messageBytesMax: number;
  /** What all connections together may hold of messages that have not arrived completely. */
  readonly unfinishedBytesMax?: number | undefined;
  /** A connection that had more than this waiting reports when it is empty again. */
  readonly drainedAboveBytes?: number | undefined;
  /** More connections are refused with 503. */
  readonly connectionsMax?: number | undefined;
  /** Whether pages of this origin may connect; undefined: the client is not a browser. Default: all may. */
  readonly isOriginAllowed?: ((origin: string | undefined, request: IncomingMessage) => boolean) | undefined;
  /** How long a socket may stay after the good-bye. */
  readonly lingerMs?: number | undefined;
  /** Whose a new connection is. */
  readonly open: (peer: WebSocketPeer, traffic: Traffic) => WebSocketHandler;
}

/**
 * Upgrades in one turn of the event loop. When thousands come at once, their requests are all there in the same turn,
 * which took 200 to 570 ms in which nobody else was served.
 */
const upgradesPerTick = 8;

/** Takes WebSocket connections from the upgrade requests of an HTTP server. */
export class WebSocketUpgrades {
  readonly traffic: Traffic = noTraffic();
  readonly #server: Server | SecureServer;
  readonly #options: UpgradeOptions;
  readonly #context: PeerContext;
  readonly #turns = new Turns(setImmediate, upgradesPerTick);
  #state: { name: "open" } | { name: "closing"; gone: (() => void)[] } = { name: "open" };
  readonly #onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const socket = stream as Socket;
    const isOurs = pathOf(request) === this.#options.path;
    // Somebody else's endpoint on the same server.
    if (!isOurs && this.#server.listenerCount("upgrade") > 1) return;
    // Until its turn nobody listens to the socket: an error would end the process.
    socket.on("error", ignore);
    if (!isOurs) return this.#refuse(socket, 404, "there is no WebSocket endpoint at this path");
    this.#turns.add(() => {
      if (!socket.destroyed) this.#upgrade(request, socket, head);
    });
  };

  constructor(server: Server | SecureServer, options: UpgradeOptions) {
    this.#server = server;
    this.#options = options;
    this.#context = {
      loop: new FlushLoop(),
      packing: webSocketPacking,
      traffic: this.traffic,
      drainedAboveBytes: options.drainedAboveBytes ?? 256 * 1024,
      messageBytesMax: options.messageBytesMax,
      budget: new ByteBudget(options.unfinishedBytesMax ?? 256 * 1024 * 1024),
      linger: new Linger(options.lingerMs),
      gone: () => {
        this.traffic.connections--;
        this.#reportGone();
      },
    };
    server.on("upgrade", this.#onUpgrade);
  }

  /** Accepts no more; resolves when the last connection is gone, which is for their users to end. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const gone = this.#state.name === "closing" ? this.#state.gone : [];
      gone.push(resolve);
      this.#state = { name: "closing", gone };
      this.#reportGone();
    });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#state.name === "closing")
      return this.#refuse(socket, 503, "this server is stopping", { "Retry-After": "2" });
    if (this.traffic.connections >= (this.#options.connectionsMax ?? Number.POSITIVE_INFINITY)) {
      return this.#refuse(socket, 503, "this server has all the connections that it may have", {
        "Retry-After": "5",
      });
    }
    const handshake = judgeHandshake(request, { isOriginAllowed: this.#options.isOriginAllowed ?? allowAll });
    if (handshake.outcome === "refused")
      return this.#refuse(socket, handshake.status, handshake.message, handshake.headers);
    this.#accept(socket, handshake.response, head);
  }

  #accept(socket: Socket, response: string, head: Buffer): void {
    this.traffic.accepted++;
    this.traffic.connections++;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.write(response, "latin1");
    const peer = new WebSocketPeer(this.#context, socket);
    peer.open(this.#options.open(peer, this.traffic), head);
  }

  #refuse(socket: Socket, status: number, message: string, headers: Record<string, string> = {}): void {
    this.traffic.refused++;
    socket.end(refusal(status, message, headers));
    this.#context.linger.add(socket);
  }

  #reportGone(): void {
    if (this.#state.name !== "closing" || this.traffic.connections > 0) return;
    this.#server.off("upgrade", this.#onUpgrade);
    for (const gone of this.#state.gone.splice(0)) gone();
  }
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? "";
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

function allowAll(): boolean {
  return true;
}

/** A peer that leaves before it was answered. `close` follows every error. */
function ignore(): void {}
