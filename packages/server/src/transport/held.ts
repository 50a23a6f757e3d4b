import type { IncomingMessage, ServerResponse } from "node:http";
import type { Acceptor, Journal, Random } from "@hongyan/core";
import { limits } from "@hongyan/protocol";
import type { Forwarder } from "../forwarding/forwarder.ts";
import { ByteBudget } from "./byte-budget.ts";
import { FlushLoop } from "./flush-loop.ts";
import { Answerer } from "./held/answer.ts";
import type { HeldContext } from "./held/held-connection.ts";
import { HeldRegistry } from "./held/registry.ts";
import { HeldRequests } from "./held/requests.ts";
import { Linger } from "./linger.ts";
import { noTraffic, type Traffic } from "./traffic.ts";

export interface HeldOptions {
  readonly acceptor: Acceptor;
  readonly journal: Journal;
  /** Makes the ids, which are secrets. */
  readonly random: Random;
  /** The time now, on the clock that `sweep` is called with. */
  readonly nowMs: number;
  /** A poll is held for a time between these. */
  readonly holdMsMin?: number | undefined;
  readonly holdMsMax?: number | undefined;
  /** From 0 to 1, for that spread. */
  readonly jitter?: (() => number) | undefined;
  /** A connection that is not asked for its frames for so long is closed. */
  readonly idleMs?: number | undefined;
  readonly streamHeartbeatMs?: number | undefined;
  /** More connections are refused with 503. */
  readonly connectionsMax?: number | undefined;
  readonly uploadBytesMax?: number | undefined;
  /** What all uploads together may hold that have not arrived completely. */
  readonly unfinishedBytesMax?: number | undefined;
  /** Frames of one answer; more come with the next. */
  readonly answerBytesMax?: number | undefined;
  /** A connection that had more than this unacknowledged reports when all is acknowledged. */
  readonly drainedAboveBytes?: number | undefined;
  /** Whose pages may use the connections from elsewhere; `*` for all. Default: nobody's. */
  readonly origins?: readonly string[] | undefined;
  readonly lingerMs?: number | undefined;
  /** Hands requests for connections of other nodes on to these. Absent: there are none here. */
  readonly forwarder?: Forwarder | undefined;
}

/** Long poll and event stream: connections that live longer than the requests which carry their frames. */
export class HeldConnections {
  readonly traffic: Traffic = noTraffic();
  readonly #registry: HeldRegistry;
  readonly #requests: HeldRequests;
  #gone: (() => void)[] = [];

  constructor(options: HeldOptions) {
    const { traffic } = this;
    const context: HeldContext = {
      acceptor: options.acceptor,
      loop: new FlushLoop(),
      traffic,
      drainedAboveBytes: options.drainedAboveBytes ?? 256 * 1024,
      nowMs: options.nowMs,
      gone: () => this.#reportGone(),
    };
    this.#registry = new HeldRegistry(context, {
      random: options.random,
      place: options.forwarder?.place,
      idleMs: options.idleMs ?? 30_000,
      connectionsMax: options.connectionsMax ?? 100_000,
    });
    this.#requests = new HeldRequests({
      registry: this.#registry,
      forwarder: options.forwarder,
      journal: options.journal,
      answerer: new Answerer(options.origins ?? []),
      traffic,
      linger: new Linger(options.lingerMs),
      answerBytesMax: options.answerBytesMax ?? 1024 * 1024,
      streamHeartbeatMs: options.streamHeartbeatMs ?? 15_000,
      uploadBytesMax: options.uploadBytesMax ?? 2 * limits.frameBytesMax,
      budget: new ByteBudget(options.unfinishedBytesMax ?? 256 * 1024 * 1024),
      holdMsMin: options.holdMsMin ?? 75_000,
      holdMsMax: options.holdMsMax ?? 90_000,
      jitter: options.jitter ?? Math.random,
    });
  }

  /** Answers a request below `/v1/connections`; false, and nothing done, for any other. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#requests.handle(request, response);
  }

  /** Moves time, in milliseconds of a clock that does not jump. To be called every 100 ms or so. */
  sweep(nowMs: number): void {
    this.#registry.sweep(nowMs);
  }

  /** Accepts no more; resolves when the last connection is over, which is for the core to end. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#registry.close();
      this.#gone.push(resolve);
      this.#reportGone();
    });
  }

  #reportGone(): void {
    if (this.traffic.connections > 0) return;
    for (const gone of this.#gone.splice(0)) gone();
  }
}

export function heldConnections(options: HeldOptions): HeldConnections {
  return new HeldConnections(options);
}
