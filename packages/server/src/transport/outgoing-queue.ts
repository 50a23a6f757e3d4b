import type { Socket } from "node:net";
import type { Encoding, SharedFrame } from "@hongyan/protocol";
import type { Flushable, FlushLoop, FlushPass } from "./flush-loop.ts";
import { isFrame, merge, type Outgoing, type Packing, sizeOf } from "./packing.ts";
import type { Traffic } from "./traffic.ts";

/** What all queues of a listener share. */
export interface QueueContext {
  readonly loop: FlushLoop;
  readonly packing: Packing;
  readonly traffic: Traffic;
  /** A queue that held more than this reports when it is empty again. */
  readonly drainedAboveBytes: number;
}

export interface QueueOwner {
  /** Everything was taken, after the queue had been above its limit. */
  onDrained(): void;
}

/** Bytes collected within a tick beyond which waiting for its end gains nothing. */
const flushAboveBytes = 64 * 1024;

/**
 * What waits to be written to one socket. Frames are collected until the end of the tick and written at once.
 * While the socket's own buffer is full nothing is added to it: frames stay here, as copies of exactly their bytes,
 * and go out together when it has drained. The bound on all this is kept by the core, which looks at
 * `bufferedBytes` (G8). Holds nothing while idle.
 */
export class OutgoingQueue implements Flushable {
  /** How frames are written; settled by the peer's first frame. */
  encoding: Encoding;
  readonly #context: QueueContext;
  readonly #socket: Socket;
  readonly #owner: QueueOwner;
  /** A single frame is the common case and needs no list. */
  #pending: Outgoing | Outgoing[] | undefined;
  #pendingBytes = 0;
  #state: "open" | "above" | "finished" = "open";

  constructor(context: QueueContext, socket: Socket, owner: QueueOwner, encoding: Encoding) {
    this.#context = context;
    this.#socket = socket;
    this.#owner = owner;
    this.encoding = encoding;
  }

  /** Bytes that were written and not yet taken by the operating system. */
  get bufferedBytes(): number {
    return this.#pendingBytes + this.#socket.writableLength;
  }

  writeFrame(frame: SharedFrame): void {
    if (this.#state === "finished") return;
    this.#context.traffic.framesOut++;
    this.write(frame);
  }

  write(written: Outgoing): void {
    if (this.#state === "finished") return;
    // What waits for a slow reader must cost what it counts: a frame's bytes are a view that would keep the whole
    // memory it was written in. The copy is paid by slow readers only.
    const item =
      this.#socket.writableNeedDrain && isFrame(written)
        ? new Uint8Array(this.#context.packing.single(written, this.encoding))
        : written;
    const pending = this.#pending;
    if (pending === undefined) {
      this.#pending = item;
      this.#context.loop.add(this);
    } else if (Array.isArray(pending)) pending.push(item);
    else this.#pending = [pending, item];
    this.#pendingBytes += sizeOf(item, this.encoding);
    if (this.bufferedBytes > this.#context.drainedAboveBytes) this.#state = "above";
    if (this.#pendingBytes > flushAboveBytes) this.flush({ merge: undefined });
  }

  flush(pass: FlushPass): void {
    if (this.#pending === undefined || this.#socket.writableNeedDrain) return;
    this.#send(pass);
  }

  /** The socket's buffer has room again. */
  onSocketDrain(): void {
    if (this.#state === "finished") return;
    this.flush({ merge: undefined });
    this.#reportDrained();
  }

  /** Forgets what the socket has not been given: whole frames, so that others may follow. */
  drop(): void {
    this.#pending = undefined;
    this.#pendingBytes = 0;
  }

  /** Hands everything over now, whether the socket has room or not: for the last words. */
  flushAll(): void {
    if (this.#pending !== undefined) this.#send({ merge: undefined });
  }

  /** Hands everything over and ends the socket. Nothing can be written afterwards. */
  finish(): void {
    if (this.#state === "finished") return;
    this.flushAll();
    this.#state = "finished";
    this.#socket.end();
  }

  /** The socket is gone: forgets what is left. */
  discard(): void {
    this.#state = "finished";
    this.drop();
  }

  #send(pass: FlushPass): void {
    const pending = this.#pending as Outgoing | Outgoing[];
    const { packing, traffic } = this.#context;
    this.#pending = undefined;
    this.#pendingBytes = 0;
    if (!this.#socket.writable) return;
    // Only a slow reader pays for a closure: it must learn when even a small rest has gone.
    const written = this.#state === "above" ? () => this.#reportDrained() : undefined;
    if (!Array.isArray(pending)) {
      const chunk = isFrame(pending) ? packing.single(pending, this.encoding) : pending;
      traffic.bytesOut += chunk.length;
      this.#socket.write(chunk, written);
      return;
    }
    pass.merge = merge(pending, this.encoding, packing, pass.merge);
    const { chunks } = pass.merge;
    if (chunks.length > 1) this.#socket.cork();
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i] as Uint8Array;
      traffic.bytesOut += chunk.length;
      this.#socket.write(chunk, i === chunks.length - 1 ? written : undefined);
    }
    if (chunks.length > 1) this.#socket.uncork();
  }

  #reportDrained(): void {
    if (this.#state !== "above" || this.bufferedBytes > 0) return;
    this.#state = "open";
    this.#owner.onDrained();
  }
}
