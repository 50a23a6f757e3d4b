import type { Acceptor, Connection, Inbound } from "@hongyan/core";
import {
  BadFrame,
  type CloseName,
  type Encoding,
  type Frame,
  type SharedFrame,
  type UnknownFrame,
} from "@hongyan/protocol";
import type { Flushable, FlushLoop } from "../flush-loop.ts";
import { closeFrame } from "../frame-connection.ts";
import type { Traffic } from "../traffic.ts";
import { type AckOutcome, Backlog } from "./backlog.ts";

/** Where the frames of a held connection go at the moment: a request that waits for them. */
export interface Outlet {
  readonly transport: "poll" | "stream";
  /** There may be frames to deliver; `isOver`: they are the last. */
  deliver(backlog: Backlog, isOver: boolean): void;
  /** A newer request has taken over, or the connection ends: answers what there is to answer. */
  release(): void;
  /** Time passes: false where the request has waited long enough. */
  wait(nowMs: number): boolean;
  /** Bytes of its last answer, which its client has not taken yet. */
  readonly unsentBytes: number;
  /** Ends the request without the rest of its answer, which the client fetches again if it still wants it. */
  abandon(): void;
}

/** What all held connections share. */
export interface HeldContext {
  readonly acceptor: Acceptor;
  readonly loop: FlushLoop;
  readonly traffic: Traffic;
  readonly drainedAboveBytes: number;
  /** Time of the last sweep: exact enough for all that is decided here, and the same for all. */
  nowMs: number;
  /** A connection is over for the core. */
  readonly gone: () => void;
}

/** What an upload carries: frames, and in their place what could not be read of an otherwise good one. */
export type Uploaded = Frame | UnknownFrame | BadFrame;

/**
 * Small frames are encoded into memory that many of them share, and a frame that waits long would keep all of it. So
 * what a backlog keeps is a copy of its own, made once for all held connections; text has memory of its own already.
 * The keys follow those of the WebSocket packing.
 */
const keepKey = { text: 3, json: 4, messagepack: 5 } as const satisfies Record<Encoding, number>;
const keep = {
  text: (frame: SharedFrame): Uint8Array => frame.bytes("text"),
  json: (frame: SharedFrame): Uint8Array => frame.bytes("json").slice(),
  messagepack: (frame: SharedFrame): Uint8Array => frame.bytes("messagepack").slice(),
} as const;

/**
 * `open`: lives. `closing`: the core has said its last word, which waits in the backlog to be fetched. `closed`:
 * the core knows that it is over.
 */
type State = "open" | "closing" | "closed";

/**
 * A connection without a socket of its own: what the core writes waits, numbered, for the next poll or goes out on
 * an open stream, and stays until the client acknowledges it.
 */
export class HeldConnection implements Connection, Flushable {
  readonly id: string;
  readonly encoding: Encoding;
  readonly backlog = new Backlog();
  /** When the last request for frames ended, or the core said its last word. */
  quietSinceMs: number;
  readonly #context: HeldContext;
  readonly #inbound: Inbound;
  #outlet: Outlet | undefined;
  /** The last that was answered, until its client has taken the answer. */
  #leaving: Outlet | undefined;
  #state: State = "open";
  #isAbove = false;
  #isFlushing = false;

  constructor(context: HeldContext, id: string, encoding: Encoding) {
    this.#context = context;
    this.id = id;
    this.encoding = encoding;
    this.quietSinceMs = context.nowMs;
    context.traffic.accepted++;
    context.traffic.connections++;
    this.#inbound = context.acceptor.accept(this);
  }

  // ── For the core ───────────────────────────────────────────────────────────────────────────────────────────────

  get transport(): string {
    return this.#outlet?.transport ?? "poll";
  }

  /** What the client has not acknowledged, whether it was sent or not; and what it acknowledges before it takes it. */
  get bufferedBytes(): number {
    return Math.max(this.backlog.bytes, this.#leaving?.unsentBytes ?? 0);
  }

  write(frame: SharedFrame): void {
    if (this.#state !== "open") return;
    this.backlog.append(frame.wrapped(keepKey[this.encoding], keep[this.encoding]));
    this.#context.traffic.framesOut++;
    if (this.backlog.bytes > this.#context.drainedAboveBytes) this.#isAbove = true;
    if (this.#outlet !== undefined) this.#flushLater();
  }

  close(code: CloseName, retryAfterMs?: number): void {
    if (this.#state !== "open") return;
    // Memory is to be had again at once, and not when a client that does not read goes away (G8).
    if (code === "too_slow") this.backlog.drop();
    this.write(closeFrame(code, retryAfterMs));
    this.#state = "closing";
    this.#abandon();
    this.quietSinceMs = this.#context.nowMs;
    this.#flushLater();
  }

  // ── For the requests ───────────────────────────────────────────────────────────────────────────────────────────

  get isOver(): boolean {
    return this.#state !== "open";
  }

  get isPolled(): boolean {
    return this.#outlet !== undefined;
  }

  /** Hands on what an upload brought, in its order. */
  receive(uploaded: readonly Uploaded[]): void {
    for (const frame of uploaded) {
      if (this.#state !== "open") return;
      this.#context.traffic.framesIn++;
      if (frame instanceof BadFrame) this.#inbound.reject(frame.id, frame);
      else this.#inbound.receive(frame);
    }
  }

  acknowledge(after: number): AckOutcome {
    const outcome = this.backlog.acknowledge(after);
    this.#reportDrained();
    return outcome;
  }

  /**
   * A request for frames begins; an older one is released. One that was answered before, and whose answer waits to be
   * taken, is over: whoever asks anew has lost it. So the frames wait in one answer at most, and not in each (G8).
   */
  attach(outlet: Outlet): void {
    this.#abandon();
    this.#outlet?.release();
    this.#outlet = outlet;
    outlet.deliver(this.backlog, this.isOver);
    this.wait();
  }

  /** A request for frames gets its last answer. */
  detach(outlet: Outlet): void {
    if (this.#outlet !== outlet) return;
    this.#outlet = undefined;
    this.#leaving = outlet;
    this.quietSinceMs = this.#context.nowMs;
  }

  /** A request for frames is over: its answer was taken, or its client has gone. */
  ended(outlet: Outlet): void {
    this.detach(outlet);
    if (this.#leaving !== outlet) return;
    this.#leaving = undefined;
    this.#reportDrained();
  }

  // ── For the registry ───────────────────────────────────────────────────────────────────────────────────────────

  flush(): void {
    this.#isFlushing = false;
    this.#outlet?.deliver(this.backlog, this.isOver);
    if (this.#state === "closing") this.closed();
  }

  /** Time has passed. */
  wait(): void {
    const outlet = this.#outlet;
    if (outlet !== undefined && !outlet.wait(this.#context.nowMs)) outlet.release();
  }

  /** Tells the core, once, that nothing more comes from here. */
  closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#context.traffic.connections--;
    this.#inbound.closed();
    this.#context.gone();
  }

  /** Ends the request that waits, if there is one. */
  release(): void {
    this.#abandon();
    this.#outlet?.release();
  }

  #abandon(): void {
    const leaving = this.#leaving;
    this.#leaving = undefined;
    leaving?.abandon();
  }

  #reportDrained(): void {
    if (!this.#isAbove || this.bufferedBytes > 0) return;
    this.#isAbove = false;
    if (this.#state === "open") this.#inbound.drained();
  }

  #flushLater(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#context.loop.add(this);
  }
}
