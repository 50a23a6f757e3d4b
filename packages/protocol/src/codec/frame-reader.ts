import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";
import { BadFrame, type DecodedFrame, decodeFrame, uint32 } from "./binary.ts";

/** What a reader hands on: a frame, or the error that stands in its place. */
export interface FrameSink {
  frame(decoded: DecodedFrame): void;
  /** A frame that could not be read. Where `error.fatal`, nothing more is delivered. */
  bad(error: BadFrame): void;
}

/** Bytes of the length field that every frame begins with. */
const lengthBytes = 4;
/** What is set aside for a frame of which little has arrived. */
const heldBytesFirst = 4096;

/**
 * Cuts a byte stream into frames. Holds at most one incomplete frame, and checks the announced length before
 * keeping anything, so that a peer cannot make it grow beyond `frameBytesMax`.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #frameBytesMax: number;
  /** The beginning of a frame whose end has not come yet, how much of it is filled, and the size it will have. */
  #partial: Uint8Array | undefined;
  #filled = 0;
  #size = 0;
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
      const size = left >= lengthBytes ? this.#frameSize(chunk, at) : undefined;
      if (this.#dead) return;
      if (size === undefined || size > left) return this.#hold(chunk, at, size ?? lengthBytes);
      this.#deliver(chunk, at, at + size);
      at += size;
    }
  }

  /** Bytes of the frame at `at`, checked; kills the reader where the length lies. */
  #frameSize(bytes: Uint8Array, at: number): number {
    const size = uint32(bytes, at) + 4;
    if (size < limits.headerBytes) this.#fail("bad_frame", "a frame is at least 12 bytes long");
    else if (size > this.#frameBytesMax)
      // What speaks another protocol looks like this.
      this.#fail(
        "too_large",
        `a frame may have at most ${this.#frameBytesMax} bytes, and this one begins with a length of ${size}: is it a binary frame?`,
      );
    return size;
  }

  #hold(chunk: Uint8Array, at: number, size: number): void {
    this.#size = size;
    this.#filled = 0;
    this.#partial = new Uint8Array(Math.min(size, heldBytesFirst));
    this.#fill(chunk, at);
  }

  /** Copies from `chunk` what belongs to the held frame; returns how far it came. */
  #fill(chunk: Uint8Array, from: number): number {
    const take = Math.min(this.#size - this.#filled, chunk.length - from);
    const filled = this.#filled + take;
    let partial = this.#partial as Uint8Array;
    if (filled > partial.length) {
      // Grows with what has arrived, not with what was announced: a length costs its sender as much as it costs us.
      const grown = new Uint8Array(Math.min(this.#size, Math.max(filled, partial.length * 2)));
      grown.set(partial.subarray(0, this.#filled));
      this.#partial = partial = grown;
    }
    partial.set(chunk.subarray(from, from + take), this.#filled);
    this.#filled = filled;
    return from + take;
  }

  /** Fills the held frame from the start of `chunk`; returns how much was taken. */
  #complete(chunk: Uint8Array): number {
    let at = this.#fill(chunk, 0);
    if (this.#filled < this.#size) return at;
    if (this.#size === lengthBytes) {
      // Only the length was held so far: now the frame's size is known.
      this.#size = this.#frameSize(this.#partial as Uint8Array, 0);
      if (this.#dead) return at;
      at = this.#fill(chunk, at);
      if (this.#filled < this.#size) return at;
    }
    const frame = this.#partial as Uint8Array;
    this.#partial = undefined;
    this.#deliver(frame, 0, this.#size);
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
