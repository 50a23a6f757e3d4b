import type { Frame } from "../frames.ts";
import { encodeFrame } from "./binary.ts";
import type { Encoding } from "./codecs.ts";
import { jsonCodec } from "./json-codec.ts";
import { messagePackCodec } from "./messagepack-codec.ts";
import { encodeText } from "./text.ts";

const utf8 = new TextEncoder();

/** A frame on its way to many connections: encoded at most once per encoding, the bytes shared by all of them. */
export class SharedFrame {
  readonly frame: Frame;
  #json: Uint8Array | undefined;
  #messagePack: Uint8Array | undefined;
  #text: Uint8Array | undefined;
  /** What transports build around the bytes (a WebSocket frame, say), by a key of their own. */
  #wrapped: (Uint8Array | undefined)[] | undefined;

  constructor(frame: Frame) {
    this.frame = frame;
  }

  bytes(encoding: Encoding): Uint8Array {
    switch (encoding) {
      case "messagepack":
        this.#messagePack ??= encodeFrame(this.frame, messagePackCodec);
        return this.#messagePack;
      case "json":
        this.#json ??= encodeFrame(this.frame, jsonCodec);
        return this.#json;
      case "text":
        this.#text ??= utf8.encode(encodeText(this.frame));
        return this.#text;
    }
  }

  /** The bytes that `build` makes of this frame, built once per `key` (a small number of the transport's choice). */
  wrapped(key: number, build: (frame: SharedFrame) => Uint8Array): Uint8Array {
    this.#wrapped ??= [];
    let bytes = this.#wrapped[key];
    if (bytes === undefined) {
      bytes = build(this);
      this.#wrapped[key] = bytes;
    }
    return bytes;
  }
}
