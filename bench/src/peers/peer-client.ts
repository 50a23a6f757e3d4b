/**
 * What the clients of all systems can do, so that one load serves them all. Messages are numbers here: how a body
 * travels and what acknowledges it is the client's own matter. A receiver acknowledges every message at the level of
 * its protocol, by itself.
 */
import type { Trust } from "../load/client.ts";

/** Where a system listens, and how it is spoken to. */
export type PeerEndpoint = { readonly port: number } & (
  | {
      readonly protocol: "hongyan";
      readonly transport: "tcp" | "websocket";
      /** Who only fills it comes this way, whatever is measured. */
      readonly tcpPort: number;
      readonly trust: Trust;
    }
  | { readonly protocol: "nats"; readonly mode: "core" | "jetstream" }
  | { readonly protocol: "mqtt" | "amqp" | "xmpp" | "socketio" }
);

/** What can be read from and written to: the inbox of one user, or a group with all of its members. */
export interface Channel {
  readonly kind: "inbox" | "group";
  readonly name: string;
}

export interface PeerLogin {
  /** Its number among the connections of the load: the source address depends on it. */
  readonly index: number;
  readonly user: string;
  readonly reads: readonly Channel[];
  readonly writes: readonly Channel[];
  /** Whether the server keeps what comes while the user is away. */
  readonly stays: boolean;
}

export interface PeerEvents {
  /** Signed in, and what is written to its channels comes. */
  ready(): void;
  /** The server has acknowledged the n-th message that this client sent to one channel. */
  stored(n: number): void;
  /** A message came: who of the load sent it, and which of theirs it is. */
  message(sender: number, n: number): void;
  /** The connection is lost or refused. */
  lost(reason: string): void;
}

export interface PeerClient {
  /** Sends a message to `writes[to]`. The body is copied. */
  send(to: number, body: Buffer): void;
  /** Acknowledges what has been kept back to be acknowledged together; called every 200 ms. */
  ack(): void;
  /** Everything that came is acknowledged, durably where the server confirms acknowledgements. */
  readonly hasAckedAll: boolean;
  /** Gives buffers back: an idle connection holds nothing. */
  release(): void;
  close(): void;
}

/** Whether the server acknowledges at all; where it does not, a message is in flight until it is received. */
export function isAcknowledging(endpoint: PeerEndpoint): boolean {
  return endpoint.protocol !== "nats" || endpoint.mode === "jetstream";
}
