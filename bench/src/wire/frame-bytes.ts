/**
 * The few frames that a load generator writes and reads a million times, as bytes: only the header and the fields
 * that are needed are looked at. Everything else goes through the codec of `@hongyan/protocol`.
 */
import { encodeFrame, type Frame, type FrameType, messagePackCodec, schemaOfType } from "@hongyan/protocol";
import type { Outgoing } from "./outgoing.ts";

function code(type: FrameType): number {
  const schema = schemaOfType(type);
  if (schema === undefined) throw new Error(`no frame ${type}`);
  return schema.code;
}

export const frameCode = {
  connectOk: code("connect.ok"),
  send: code("send"),
  sendOk: code("send.ok"),
  ack: code("ack"),
  ackOk: code("ack.ok"),
  readOk: code("read.ok"),
  sync: code("sync"),
  syncOk: code("sync.ok"),
  pingOk: code("ping.ok"),
  listOk: code("list.ok"),
  conversation: code("conversation"),
  error: code("error"),
  message: code("message"),
  receipt: code("receipt"),
  behind: code("behind"),
  close: code("close"),
} as const;

const headerBytes = 12;

export function encode(frame: Frame): Uint8Array {
  return encodeFrame(frame, messagePackCodec);
}

export function typeOf(bytes: Buffer, start: number): number {
  return bytes[start + 4] as number;
}

export function idOf(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start + 8);
}

/** Where the body begins. */
export function bodyStart(bytes: Buffer, start: number): number {
  return start + headerBytes + bytes.readUInt16BE(start + 6);
}

/** The position behind the MessagePack string at `at`. */
export function stringEnd(bytes: Buffer, at: number): number {
  const tag = bytes[at] as number;
  if (tag >= 0xa0 && tag <= 0xbf) return at + 1 + (tag & 0x1f);
  if (tag === 0xd9) return at + 2 + (bytes[at + 1] as number);
  throw new Error(`expected a string, found byte ${tag}`);
}

/** The MessagePack number at `at`. */
export function uintAt(bytes: Buffer, at: number): number {
  const tag = bytes[at] as number;
  if (tag < 0x80) return tag;
  switch (tag) {
    case 0xcc:
      return bytes[at + 1] as number;
    case 0xcd:
      return bytes.readUInt16BE(at + 1);
    case 0xce:
      return bytes.readUInt32BE(at + 1);
    case 0xcf:
      return bytes.readUInt32BE(at + 1) * 0x1_0000_0000 + bytes.readUInt32BE(at + 5);
    default:
      throw new Error(`expected a number, found byte ${tag}`);
  }
}

/** The seq of a `message`: its second field. */
export function seqOfMessage(bytes: Buffer, start: number): number {
  return uintAt(bytes, stringEnd(bytes, start + headerBytes + 1));
}

/** The seq of a `send.ok`: its first field. */
export function seqOfSendOk(bytes: Buffer, start: number): number {
  return uintAt(bytes, start + headerBytes + 1);
}

/** A MessagePack string, ready to be copied. */
export function stringBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new Error("too long for the generator");
  return bytes.length < 32
    ? Buffer.concat([Buffer.of(0xa0 | bytes.length), bytes])
    : Buffer.concat([Buffer.of(0xd9, bytes.length), bytes]);
}

/**
 * Writes `send` frames of one sender in one conversation: client message ids `<prefix>:<n>`, each chained to the one
 * before it with `after`, as the SDK does.
 */
export class SendWriter {
  readonly #conversation: Buffer;
  readonly #prefix: Buffer;
  readonly #body: Buffer;
  #n = 0;

  constructor(conversation: string, prefix: string, bodyBytes: number) {
    this.#conversation = stringBytes(conversation);
    this.#prefix = Buffer.from(`${prefix}:`);
    if (this.#prefix.length > 20) throw new Error("the prefix is too long");
    this.#body = Buffer.alloc(bodyBytes, "hongyan ");
  }

  /** Number of the last message. */
  get n(): number {
    return this.#n;
  }

  /** Writes the next message; its command id is its number. The body begins with `nowMs` and the number. */
  write(connection: Outgoing, nowMs: number): number {
    this.again(connection, ++this.#n, nowMs);
    return this.#n;
  }

  /** Writes the n-th message once more; the same bytes where `sentAtMs` is what it was the first time. */
  again(connection: Outgoing, n: number, sentAtMs: number): void {
    this.#body.writeDoubleBE(sentAtMs, 0);
    this.#body.writeUInt32BE(n, 8);
    this.#put(connection, n, this.#body, n);
  }

  /** The next one with a body of the caller's, and where one connection has many writers, an id of the caller's. */
  writeBody(connection: Outgoing, body: Uint8Array, id?: number): number {
    const n = ++this.#n;
    this.#put(connection, n, body, id ?? n);
    return n;
  }

  #put(connection: Outgoing, n: number, body: Uint8Array, id: number): void {
    const out = connection.reserve(
      headerBytes + 1 + this.#conversation.length + 2 * (this.#prefix.length + 11) + body.length,
    );
    const start = connection.length;
    let at = start + headerBytes;
    out[at++] = n === 1 ? 0x92 : 0x93;
    out.set(this.#conversation, at);
    at += this.#conversation.length;
    at = this.#id(out, at, n);
    if (n > 1) at = this.#id(out, at, n - 1);
    const fields = at - start - headerBytes;
    out.set(body, at);
    at += body.length;
    out.writeUInt32BE(at - start - 4, start);
    out[start + 4] = frameCode.send;
    out[start + 5] = messagePackCodec.id;
    out.writeUInt16BE(fields, start + 6);
    out.writeUInt32BE(id, start + 8);
    connection.length = at;
  }

  #id(out: Buffer, start: number, n: number): number {
    const prefix = this.#prefix;
    const digits =
      n < 10
        ? 1
        : n < 100
          ? 2
          : n < 1000
            ? 3
            : n < 10_000
              ? 4
              : n < 100_000
                ? 5
                : n < 1_000_000
                  ? 6
                  : n < 10_000_000
                    ? 7
                    : 8;
    out[start] = 0xa0 | (prefix.length + digits);
    out.set(prefix, start + 1);
    const end = start + 1 + prefix.length + digits;
    let rest = n;
    for (let at = end - 1; at > start + prefix.length; at--) {
      out[at] = 48 + (rest % 10);
      rest = (rest / 10) | 0;
    }
    return end;
  }
}

/** Writes `ack` frames for one conversation. */
export class AckWriter {
  readonly #head: Buffer;

  constructor(conversation: string) {
    this.#head = Buffer.concat([Buffer.of(0x91, 0x81), stringBytes(conversation)]);
  }

  write(connection: Outgoing, id: number, position: number): void {
    const head = this.#head;
    const size = headerBytes + head.length + 5;
    const out = connection.reserve(size);
    const start = connection.length;
    out.set(head, start + headerBytes);
    const at = start + headerBytes + head.length;
    // Always in 5 bytes: MessagePack allows the longer form, and the size is known beforehand.
    out[at] = 0xce;
    out.writeUInt32BE(position, at + 1);
    out.writeUInt32BE(size - 4, start);
    out[start + 4] = frameCode.ack;
    out[start + 5] = messagePackCodec.id;
    out.writeUInt16BE(size - headerBytes, start + 6);
    out.writeUInt32BE(id, start + 8);
    connection.length += size;
  }
}

/** What an `error` or `close` frame says, for people. */
export function describe(bytes: Buffer, start: number, end: number): string {
  return `${typeOf(bytes, start) === frameCode.error ? "error" : "frame"} for command ${idOf(bytes, start)}: ${bytes.toString("utf8", start + headerBytes, end)}`;
}
