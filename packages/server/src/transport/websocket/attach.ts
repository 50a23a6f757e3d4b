import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Acceptor, Journal } from "@hongyan/core";
import { BadFrame, limits, ProtocolError, readFrames } from "@hongyan/protocol";
import { type ConnectionContext, FrameConnection } from "../frame-connection.ts";
import { framesIn } from "../frame-count.ts";
import type { WebSocketHandler, WebSocketPeer } from "./peer.ts";
import { type UpgradeOptions, WebSocketUpgrades } from "./upgrade.ts";

export interface WebSocketOptions extends Omit<UpgradeOptions, "open" | "path" | "messageBytesMax"> {
  readonly acceptor: Acceptor;
  readonly journal: Journal;
  /** Default `/ws`. */
  readonly path?: string | undefined;
  /** Default: twice the largest frame, for text mode, where a body may be longer than its bytes. */
  readonly messageBytesMax?: number | undefined;
}

/** Speaks Hongyan over the WebSocket endpoint of `server`. */
export function attachWebSocket(server: Server | SecureServer, options: WebSocketOptions): WebSocketUpgrades {
  const { acceptor, journal } = options;
  return new WebSocketUpgrades(server, {
    ...options,
    path: options.path ?? "/ws",
    messageBytesMax: options.messageBytesMax ?? 2 * limits.frameBytesMax,
    open: (peer, traffic) => new Binding({ acceptor, journal, traffic }, peer),
  });
}

/** Joins a WebSocket connection and a connection of the core. */
class Binding implements WebSocketHandler {
  readonly #connection: FrameConnection;

  constructor(context: ConnectionContext, peer: WebSocketPeer) {
    this.#connection = new FrameConnection(context, peer, "websocket");
  }

  onMessage(data: Uint8Array, isText: boolean): void {
    try {
      if (isText) this.#connection.text(textOf(data));
      else if (framesIn(data) <= limits.framesPerMessageMax) readFrames(data, this.#connection);
      else this.#connection.bad(tooManyFrames());
    } catch (error) {
      this.#connection.fault(error);
    }
  }

  onDrained(): void {
    this.#connection.drained();
  }

  onClosed(): void {
    this.#connection.closed();
  }
}

function tooManyFrames(): BadFrame {
  return new BadFrame(
    new ProtocolError("too_large", `a message may have at most ${limits.framesPerMessageMax} frames`),
    0,
  );
}

/** The reader has found it to be well-formed UTF-8. */
function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.length).toString("utf8");
}
