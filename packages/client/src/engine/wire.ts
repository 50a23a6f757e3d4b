import {
  type BadFrame,
  type Command,
  codecs,
  decodeText,
  encodeFrame,
  encodeText,
  type Frame,
  FrameReader,
  type UnknownFrame,
} from "@hongyan/protocol";
import type { EncodedFrame } from "../ports.ts";

export type WireEncoding = "messagepack" | "json" | "text";

export function encode(frame: Command, encoding: WireEncoding): EncodedFrame {
  if (encoding === "text") return encodeText(frame);
  const codec = codecs.find(({ name }) => name === encoding);
  if (codec === undefined) throw new Error(`no such codec: ${encoding}`);
  return encodeFrame(frame, codec);
}

/** Turns what a transport brings into frames. `bad` is final where the stream cannot be trusted any more. */
export class WireReader {
  readonly #frame: (frame: Frame | UnknownFrame) => void;
  readonly #bad: (error: unknown) => void;
  readonly #reader: FrameReader;

  constructor(frame: (frame: Frame | UnknownFrame) => void, bad: (error: unknown) => void) {
    this.#frame = frame;
    this.#bad = bad;
    this.#reader = new FrameReader({
      frame: (decoded) => frame(decoded.frame),
      // A single frame that could not be read is like one that was lost: cursors repair it.
      bad: (error: BadFrame) => {
        if (error.fatal || error.code === "too_large") bad(error);
      },
    });
  }

  push(data: Uint8Array | string): void {
    if (typeof data !== "string") return this.#reader.push(data);
    let frame: Frame | UnknownFrame;
    try {
      frame = decodeText(data);
    } catch (error) {
      return this.#bad(error);
    }
    this.#frame(frame);
  }
}
