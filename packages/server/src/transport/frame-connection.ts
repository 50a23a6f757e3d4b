import type { Acceptor, Connection, Inbound, Journal } from "@hongyan/core";
import {
  BadFrame,
  type CloseName,
  closeCodes,
  type DecodedFrame,
  decodeText,
  type Encoding,
  errors,
  type Frame,
  type FrameSink,
  SharedFrame,
  type UnknownFrame,
} from "@hongyan/protocol";
import type { OutgoingQueue } from "./outgoing-queue.ts";
import type { Traffic } from "./traffic.ts";

/** The transport below a connection. */
export interface Line {
  readonly queue: OutgoingQueue;
  /** Sends what is queued, then ends the transport in its own way. */
  finish(code: CloseName): void;
}

/** What all connections of a listener share. */
export interface ConnectionContext {
  readonly acceptor: Acceptor;
  readonly journal: Journal;
  readonly traffic: Traffic;
}

/**
 * `fresh`: nothing was heard, the encoding is open. `open`: the peer's first frame has settled it. `closing`: the
 * last word was said; what still arrives is ignored.
 */
type State = "fresh" | "open" | "closing";

/** A connection of the core over a line that carries frames both ways: the part WebSocket and TCP have in common. */
export class FrameConnection implements Connection, FrameSink {
  readonly transport: string;
  readonly #context: ConnectionContext;
  readonly #line: Line;
  readonly #inbound: Inbound;
  #state: State = "fresh";

  constructor(context: ConnectionContext, line: Line, transport: string) {
    this.#context = context;
    this.#line = line;
    this.transport = transport;
    this.#inbound = context.acceptor.accept(this);
  }

  // ── For the core ───────────────────────────────────────────────────────────────────────────────────────────────

  get encoding(): Encoding {
    return this.#line.queue.encoding;
  }

  get bufferedBytes(): number {
    return this.#line.queue.bufferedBytes;
  }

  write(frame: SharedFrame): void {
    if (this.#state !== "closing") this.#line.queue.writeFrame(frame);
  }

  close(code: CloseName, retryAfterMs?: number): void {
    if (this.#state === "closing") return;
    // Memory is to be had again at once, and not when a client that does not read goes away (G8).
    if (code === "too_slow") this.#line.queue.drop();
    this.write(closeFrame(code, retryAfterMs));
    this.#state = "closing";
    this.#line.finish(code);
  }

  // ── From the line ──────────────────────────────────────────────────────────────────────────────────────────────

  /** One text message: a frame in text mode. */
  text(message: string): void {
    if (this.#state === "closing") return;
    if (this.#state === "fresh") this.#settle("text");
    let frame: Frame | UnknownFrame;
    try {
      frame = decodeText(message);
    } catch (error) {
      if (error instanceof BadFrame) return this.bad(error);
      throw error;
    }
    this.#receive(frame);
  }

  frame(decoded: DecodedFrame): void {
    if (this.#state === "closing") return;
    if (this.#state === "fresh") this.#settle(decoded.codec.name as Encoding);
    this.#receive(decoded.frame);
  }

  bad(error: BadFrame): void {
    if (this.#state === "closing") return;
    // Bytes that cannot be read name no codec: such a peer is answered in JSON.
    if (this.#state === "fresh") this.#settle(this.encoding === "text" ? "json" : this.encoding);
    if (!error.fatal) return this.#inbound.reject(error.id, error);
    this.write(errorFrame(error));
    this.close(error.code === "too_large" ? "too_large" : "bad_frame");
  }

  /** A fault of ours while something was read: it ends this connection and no other. */
  fault(error: unknown): void {
    const { transport } = this;
    this.#context.journal.warn("fault while handling a frame", {
      transport,
      error: error instanceof Error ? error.stack : String(error),
    });
    this.close("internal");
  }

  drained(): void {
    if (this.#state !== "closing") this.#inbound.drained();
  }

  /** The transport is gone. */
  closed(): void {
    this.#state = "closing";
    this.#inbound.closed();
  }

  #settle(encoding: Encoding): void {
    this.#line.queue.encoding = encoding;
    this.#state = "open";
  }

  #receive(frame: Frame | UnknownFrame): void {
    this.#context.traffic.framesIn++;
    this.#inbound.receive(frame);
  }
}

/** The last frame of a connection. */
export function closeFrame(code: CloseName, retryAfterMs: number | undefined): SharedFrame {
  return new SharedFrame({ type: "close", id: 0, code: closeCodes[code].code, reason: code, retryAfterMs });
}

function errorFrame(error: BadFrame): SharedFrame {
  const { code, message } = error;
  return new SharedFrame({ type: "error", id: error.id, code: errors[code].code, name: code, message });
}
