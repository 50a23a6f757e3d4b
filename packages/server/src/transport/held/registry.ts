import type { Random } from "@hongyan/core";
import type { Encoding } from "@hongyan/protocol";
import { HeldConnection, type HeldContext } from "./held-connection.ts";

export interface RegistryOptions {
  readonly random: Random;
  /** Names this node in the ids, for other nodes. */
  readonly place: string | undefined;
  /** A connection that is not asked for its frames for so long is closed. */
  readonly idleMs: number;
  readonly connectionsMax: number;
}

const sweepEveryMs = 250;

/**
 * All held connections by their ids, which are their secrets. One sweep moves time for all of them: no timer per
 * connection or poll.
 */
export class HeldRegistry {
  readonly context: HeldContext;
  readonly #options: RegistryOptions;
  readonly #connections = new Map<string, HeldConnection>();
  #state: "open" | "closing" = "open";
  #sweepAtMs = 0;

  constructor(context: HeldContext, options: RegistryOptions) {
    this.context = context;
    this.#options = options;
  }

  /** Why a new connection cannot be had now; undefined: it can. */
  get refusal(): string | undefined {
    if (this.#state === "closing") return "this server is stopping";
    if (this.#connections.size >= this.#options.connectionsMax)
      return "this server has all the connections that it may have";
    return undefined;
  }

  open(encoding: Encoding): HeldConnection {
    const { random, place } = this.#options;
    const id = place === undefined ? random.id() : `${random.id()}.${place}`;
    const connection = new HeldConnection(this.context, id, encoding);
    this.#connections.set(connection.id, connection);
    return connection;
  }

  find(id: string): HeldConnection | undefined {
    return this.#connections.get(id);
  }

  /** Ends a connection from the client's side, or because it has been silent. */
  remove(connection: HeldConnection): void {
    this.#connections.delete(connection.id);
    connection.release();
    connection.closed();
  }

  /** Moves time: ends polls that have waited long enough, and forgets connections that nobody asks for. */
  sweep(nowMs: number): void {
    this.context.nowMs = nowMs;
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + sweepEveryMs;
    for (const connection of this.#connections.values()) {
      connection.wait();
      if (this.#isOver(connection, nowMs)) this.remove(connection);
    }
  }

  /** No new connections; the core ends the others. */
  close(): void {
    this.#state = "closing";
  }

  #isOver(connection: HeldConnection, nowMs: number): boolean {
    if (connection.isOver && connection.backlog.bytes === 0) return true;
    // The last word of one that is over may wait on a stream that nobody reads.
    const isAsked = connection.isPolled && !connection.isOver;
    return !isAsked && nowMs - connection.quietSinceMs > this.#options.idleMs;
  }
}

/** The node that the connection with this id lives on, as far as the id says. */
export function placeOf(id: string): string | undefined {
  return /^[\w-]+\.([\w-]+)$/.exec(id)?.[1];
}
