import { isUtf8 } from "node:buffer";
import type { ByteBudget } from "../byte-budget.ts";
import {
  headerBytes,
  headerFault,
  isControl,
  isFinal,
  maskOf,
  opcodeOf,
  payloadBytes,
} from "./frame-header.ts";
import { copyUnmasked, unmask } from "./mask.ts";
import { checkUtf8 } from "./utf8-check.ts";
import { opcode } from "./wire.ts";

/** Why a WebSocket connection fails: protocol error, bad data, message too big, try again later. */
export type FaultCode = 1002 | 1007 | 1009 | 1013;

export interface MessageSink {
  /** A whole message. The bytes are the sink's to keep, together with the chunk that they are part of. */
  onMessage(data: Uint8Array, isText: boolean): void;
  /** A control frame, between messages or in the middle of one. */
  onControl(code: number, payload: Uint8Array): void;
  /** The peer broke the protocol. The reader is dead: nothing follows. */
  onFault(code: FaultCode, reason: string): void;
}

export interface ReaderContext {
  /** Largest message, all fragments together. */
  readonly messageBytesMax: number;
  /** For all that has not arrived completely. */
  readonly budget: ByteBudget;
}

/** A frame whose payload has not arrived completely. */
interface OpenFrame {
  readonly first: number;
  readonly mask: number;
  readonly size: number;
  done: number;
  /** A control frame's payload; that of a data frame goes to the message. */
  readonly control: Uint8Array | undefined;
}

/** A message of which not all has arrived. */
interface OpenMessage {
  readonly isText: boolean;
  bytes: Uint8Array;
  filled: number;
  /** How far the text was found to be well-formed. */
  checked: number;
}

const exactBytesMax = 64 * 1024;

/**
 * Cuts a byte stream into WebSocket messages. A message that arrives whole and in one piece, the common case, is
 * handed on where it lies. Between messages nothing is held. What a peer announces is not allocated before it is
 * sent (beyond 64 KiB), and tiny pieces are copied together, so that memory follows the bytes that really came.
 */
export class MessageReader {
  readonly #sink: MessageSink;
  readonly #context: ReaderContext;
  /** The beginning of a frame header. */
  #header: Uint8Array | undefined;
  #frame: OpenFrame | undefined;
  #message: OpenMessage | undefined;
  #isDead = false;

  constructor(sink: MessageSink, context: ReaderContext) {
    this.#sink = sink;
    this.#context = context;
  }

  /** Takes the next bytes of the stream, whose memory is the reader's from now on. */
  push(bytes: Uint8Array): void {
    if (this.#isDead) return;
    let chunk = bytes;
    if (this.#header !== undefined) {
      chunk = Buffer.concat([this.#header, bytes]);
      this.#header = undefined;
    }
    let at = 0;
    if (this.#frame !== undefined) at = this.#continue(this.#frame, chunk, 0);
    while (!this.#isDead && at < chunk.length) at = this.#begin(chunk, at);
  }

  /** Nothing more is read: forgets what was held. */
  stop(): void {
    this.#isDead = true;
    this.#header = undefined;
    this.#frame = undefined;
    this.#takeMessage();
  }

  /** Reads the frame that begins at `start`; returns where the next one begins. */
  #begin(chunk: Uint8Array, start: number): number {
    const left = chunk.length - start;
    const first = chunk[start] as number;
    const second = chunk[start + 1];
    const fault = headerFault(first, second, this.#message !== undefined);
    if (fault !== undefined) return this.#fail(1002, fault, chunk);
    if (second === undefined || left < headerBytes(second)) {
      this.#header = new Uint8Array(chunk.subarray(start));
      return chunk.length;
    }
    const size = payloadBytes(chunk, start);
    if (size < 0) return this.#fail(1002, "the length has its highest bit set", chunk);
    if (!isControl(first) && size + (this.#message?.filled ?? 0) > this.#context.messageBytesMax) {
      return this.#fail(1009, `a message may have at most ${this.#context.messageBytesMax} bytes`, chunk);
    }
    const payload = start + headerBytes(second);
    const mask = maskOf(chunk, payload - 4);
    if (
      payload + size <= chunk.length &&
      (isControl(first) || (isFinal(first) && this.#message === undefined))
    ) {
      unmask(chunk, payload, payload + size, mask, 0);
      this.#deliver(first, chunk.subarray(payload, payload + size));
      return payload + size;
    }
    const control = isControl(first) ? new Uint8Array(size) : undefined;
    if (control === undefined) this.#message ??= openMessage(first);
    this.#frame = { first, mask, size, done: 0, control };
    return this.#continue(this.#frame, chunk, payload);
  }

  /** Takes what `chunk` has of the open frame's payload from `start`; returns where it ends. */
  #continue(frame: OpenFrame, chunk: Uint8Array, start: number): number {
    const end = Math.min(chunk.length, start + frame.size - frame.done);
    const { control } = frame;
    if (control !== undefined)
      copyUnmasked(chunk, start, end, control, frame.done, frame.mask, frame.done & 3);
    else if (!this.#append(frame, chunk, start, end)) return chunk.length;
    frame.done += end - start;
    if (frame.done < frame.size) return end;
    this.#frame = undefined;
    if (control !== undefined) this.#sink.onControl(opcodeOf(frame.first), control);
    else if (isFinal(frame.first)) this.#finish();
    return end;
  }

  /** Adds a part of a data frame to the message; false where that failed. */
  #append(frame: OpenFrame, chunk: Uint8Array, start: number, end: number): boolean {
    const message = this.#message as OpenMessage;
    const filled = message.filled + end - start;
    if (
      filled > message.bytes.length &&
      !this.#grow(message, filled, message.filled + frame.size - frame.done)
    )
      return false;
    copyUnmasked(chunk, start, end, message.bytes, message.filled, frame.mask, frame.done & 3);
    message.filled = filled;
    if (!message.isText) return true;
    const checked = checkUtf8(message.bytes, message.checked, filled);
    if (checked < 0) {
      this.#fail(1007, "text is not well-formed UTF-8", chunk);
      return false;
    }
    message.checked = checked;
    return true;
  }

  /** Makes room for `needed` bytes; `announced` is where the open frame will end. */
  #grow(message: OpenMessage, needed: number, announced: number): boolean {
    const size =
      announced <= exactBytesMax
        ? Math.max(announced, message.bytes.length * 2)
        : Math.max(needed, message.bytes.length * 2);
    const capacity = Math.min(size, this.#context.messageBytesMax);
    if (!this.#context.budget.take(capacity - message.bytes.length)) {
      this.#fail(1013, "too many unfinished messages at this server", message.bytes);
      return false;
    }
    const grown = new Uint8Array(capacity);
    grown.set(message.bytes.subarray(0, message.filled));
    message.bytes = grown;
    return true;
  }

  /** The message is complete. */
  #finish(): void {
    const message = this.#takeMessage() as OpenMessage;
    if (message.isText && message.checked < message.filled)
      this.#fail(1007, "text is not well-formed UTF-8", message.bytes);
    else this.#sink.onMessage(message.bytes.subarray(0, message.filled), message.isText);
  }

  /** A frame that came whole and is not part of an open message. */
  #deliver(first: number, payload: Uint8Array): void {
    if (isControl(first)) return this.#sink.onControl(opcodeOf(first), payload);
    const isText = opcodeOf(first) === opcode.text;
    if (isText && !isUtf8(payload)) this.#fail(1007, "text is not well-formed UTF-8", payload);
    else this.#sink.onMessage(payload, isText);
  }

  #takeMessage(): OpenMessage | undefined {
    const message = this.#message;
    this.#message = undefined;
    if (message !== undefined) this.#context.budget.give(message.bytes.length);
    return message;
  }

  /** Returns the end of `chunk`, where reading stops. */
  #fail(code: FaultCode, reason: string, chunk: Uint8Array): number {
    this.stop();
    this.#sink.onFault(code, reason);
    return chunk.length;
  }
}

function openMessage(first: number): OpenMessage {
  return { isText: opcodeOf(first) === opcode.text, bytes: new Uint8Array(0), filled: 0, checked: 0 };
}
