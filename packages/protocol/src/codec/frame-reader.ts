import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";
import { BadFrame, type DecodedFrame, decodeFrame, uint32 } from "./binary.ts";

/** What a reader hands on: a frame, or the error that stands in its place. */
export interface FrameSink {
  frame(decoded: DecodedFrame): void;
  /** A frame that could not be read. Where `error.fatal`, nothing more is delivered. */
  bad(error: BadFrame): void;
}

/**
 * Cuts a byte stream into frames. Holds at most one incomplete frame, and checks the announced length before
 * keeping anything, so that a peer cannot make it grow beyond `frameBytesMax`.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #frameBytesMax: number;
  /** The beginning of a frame whose end has not come yet, and how much of it is filled. */
  #partial: Uint8Array | undefined;
  #filled = 0;
  #dead = false;

  constructor(sink: FrameSink, frameBytesMax: number = limits.frameBytesMax) {
    this.#sink = sink;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes held back. */
  get heldBytes(): number {
    return this.#partial?.length ?? 0;
  }

  /** Takes the next bytes of the stream. Bodies share the memory of `chunk`. */
  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.#partial !== undefined) at = this.#complete(chunk);
    while (!this.#dead && at < chunk.length) {
      const left = chunk.length - at;
      const size = left >= 4 ? this.#frameSize(chunk, at) : undefined;
      if (this.#dead) return;
      if (size === undefined || size > left) return this.#hold(chunk, at, size ?? 4);
      this.#deliver(chunk, at, at + size);
      at += size;
    }
  }

  /** Bytes of the frame at `at`, checked; kills the reader where the length lies. */
  #frameSize(bytes: Uint8Array, at: number): number {
    const size = uint32(bytes, at) + 4;
    if (size < limits.headerBytes) this.#fail("bad_frame", "a frame is at least 12 bytes long");
    else if (size > this.#frameBytesMax)
      this.#fail("too_large", `a frame may have at most ${this.#frameBytesMax} bytes`);
    return size;
  }

  #hold(chunk: Uint8Array, at: number, size: number): void {
    this.#partial = new Uint8Array(size);
    this.#partial.set(chunk.subarray(at));
    this.#filled = chunk.length - at;
  }

  /** Fills the held frame from the start of `chunk`; returns how much was taken. */
  #complete(chunk: Uint8Array): number {
    let at = 0;
    let partial = this.#partial as Uint8Array;
    for (;;) {
      const take = Math.min(partial.length - this.#filled, chunk.length - at);
      partial.set(chunk.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled < partial.length) return at;
      if (partial.length > 4) break;
      const size = this.#frameSize(partial, 0);
      if (this.#dead) return at;
      const grown = new Uint8Array(size);
      grown.set(partial);
      this.#partial = partial = grown;
    }
    this.#partial = undefined;
    this.#filled = 0;
    this.#deliver(partial, 0, partial.length);
    return at;
  }

  #deliver(bytes: Uint8Array, start: number, end: number): void {
    let decoded: DecodedFrame;
    try {
      decoded = decodeFrame(bytes, start, end);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      if (error.fatal) this.#dead = true;
      this.#sink.bad(error);
      return;
    }
    this.#sink.frame(decoded);
  }

  #fail(code: "bad_frame" | "too_large", message: string): void {
    this.#dead = true;
    this.#partial = undefined;
    this.#sink.bad(new BadFrame(new ProtocolError(code, message), 0));
  }
}

/** All frames of one binary WebSocket message or HTTP body, which must end where a frame ends. */
export function readFrames(bytes: Uint8Array, sink: FrameSink): void {
  const reader = new FrameReader(sink);
  reader.push(bytes);
  if (reader.heldBytes > 0)
    sink.bad(new BadFrame(new ProtocolError("bad_frame", "the last frame is cut off"), 0));
}
