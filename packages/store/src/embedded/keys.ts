/**
 * Keys of everything stored. The first byte is the kind; parts that are followed by others carry their length, so
 * that no two different keys have the same bytes; the last part is plain, so that keys sort by it.
 *
 *   E log seq             -> a block: the consecutive entries up to `seq` that one commit appended
 *   S log                 -> head, and the newest idempotency keys of the log (log-state.ts)
 *   T log                 -> the highest seq that was trimmed
 *   I log producer chunk  -> older idempotency keys (number-chunk.ts)
 *   D log 0 digest chunk  -> the same of producers of whom only the digest is known: what was imported from PostgreSQL
 *   C log reader          -> cursor
 *   R key                 -> record
 *   M name                -> format, epoch, what is under way (marks.ts)
 */
import type { LogId } from "@hongyan/core";

/** All but records and meta begin with a log. */
export const kind = {
  entries: 0x45,
  state: 0x53,
  trimmed: 0x54,
  chunk: 0x49,
  digestChunk: 0x44,
  cursor: 0x43,
  record: 0x52,
  meta: 0x4d,
};

/** Above every byte that UTF-8 text can have. */
const end = Buffer.from([0xff]);

export const metaRange = { gte: Buffer.from([kind.meta]), lt: Buffer.from([kind.meta + 1]) };
export const wholeRange = { gte: Buffer.from([0]), lt: end };

export function metaKey(name: string): Buffer {
  return plain(kind.meta, name);
}

// ── Logs ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What all keys of entries of the log start with. */
export function entriesPrefix(log: LogId): Buffer {
  return sized(kind.entries, log, 0);
}

export function entriesKey(prefix: Buffer, seq: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + 8);
  key.set(prefix);
  writeNumber(key, prefix.length, seq);
  return key;
}

/** Above every entry of the log. */
export function entriesEnd(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, end]);
}

export function seqOf(entriesKey: Uint8Array): number {
  return lastNumberOf(entriesKey);
}

/** The chunk of a `chunkKey` or `digestChunkKey`. */
export function lastNumberOf(key: Uint8Array): number {
  return readNumber(key, key.length - 8);
}

export function stateKey(log: LogId): Buffer {
  return sized(kind.state, log, 0);
}

export function trimmedKey(log: LogId): Buffer {
  return sized(kind.trimmed, log, 0);
}

/** `chunk` from `chunkOf`. */
export function chunkKey(log: LogId, producer: string, chunk: number): Buffer {
  const producerBytes = Buffer.byteLength(producer);
  const key = sized(kind.chunk, log, 2 + producerBytes + 8);
  let offset = key.length - producerBytes - 10;
  offset = key.writeUInt16BE(producerBytes, offset);
  offset += key.write(producer, offset);
  writeNumber(key, offset, chunk);
  return key;
}

/** `digest` from `digestOf`; a zero before it, for ranges end with a byte that text does not have. */
export function digestChunkKey(log: LogId, digest: Uint8Array, chunk: number): Buffer {
  const key = sized(kind.digestChunk, log, 1 + digest.length + 8);
  key[key.length - digest.length - 9] = 0;
  key.set(digest, key.length - digest.length - 8);
  writeNumber(key, key.length - 8, chunk);
  return key;
}

// ── Cursors and records ────────────────────────────────────────────────────────────────────────────────────────

export function cursorKey(log: LogId, reader: string): Buffer {
  const key = sized(kind.cursor, log, Buffer.byteLength(reader));
  key.write(reader, key.length - Buffer.byteLength(reader));
  return key;
}

/** Cursors of the log with a reader above `after`. */
export function cursorRange(log: LogId, after: string): { gte: Buffer; lt: Buffer } {
  const prefix = sized(kind.cursor, log, 0);
  return { gte: above(cursorKey(log, after)), lt: Buffer.concat([prefix, end]) };
}

export function readerOf(cursorKey: Uint8Array): string {
  const key = Buffer.from(cursorKey.buffer, cursorKey.byteOffset, cursorKey.byteLength);
  return key.toString("utf8", 3 + key.readUInt16BE(1));
}

export function recordKey(key: string): Buffer {
  return plain(kind.record, key);
}

/** Records with `prefix`, above `after`. */
export function recordRange(prefix: string, after: string): { gte: Buffer; lt: Buffer } {
  const first = recordKey(prefix);
  const next = above(recordKey(after));
  return { gte: Buffer.compare(first, next) > 0 ? first : next, lt: Buffer.concat([first, end]) };
}

export function recordOf(recordKey: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = recordKey;
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf8", 1);
}

// ── Parts ──────────────────────────────────────────────────────────────────────────────────────────────────────

function plain(kind: number, text: string): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(text));
  key[0] = kind;
  key.write(text, 1);
  return key;
}

function sized(kind: number, text: string, room: number): Buffer {
  const bytes = Buffer.byteLength(text);
  const key = Buffer.allocUnsafe(3 + bytes + room);
  key[0] = kind;
  key.writeUInt16BE(bytes, 1);
  key.write(text, 3);
  return key;
}

/** The log of a key of `kinds`. */
export function logOf(key: Uint8Array): LogId {
  const { buffer, byteOffset, byteLength } = key;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return bytes.toString("utf8", 3, 3 + bytes.readUInt16BE(1));
}

/** Keys of one log. */
export function logRange(kind: number, log: LogId): { gte: Buffer; lt: Buffer } {
  const prefix = sized(kind, log, 0);
  return { gte: prefix, lt: Buffer.concat([prefix, end]) };
}

/** Keys of logs with that many bytes and more. */
export function lengthRange(kind: number, bytes: number): { gte: Buffer; lt: Buffer } {
  const gte = Buffer.from([kind, 0, 0]);
  gte.writeUInt16BE(bytes, 1);
  return { gte, lt: Buffer.from([kind + 1]) };
}

/** Keys of logs with so many bytes that begin with `prefix`. */
export function prefixRange(kind: number, bytes: number, prefix: string): { gte: Buffer; lt: Buffer } {
  const gte = sized(kind, prefix, 0);
  gte.writeUInt16BE(bytes, 1);
  return { gte, lt: Buffer.concat([gte, end]) };
}

/** The smallest key above `key`. */
function above(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

function writeNumber(key: Buffer, offset: number, value: number): void {
  key.writeUInt32BE(Math.floor(value / 0x1_0000_0000), offset);
  key.writeUInt32BE(value >>> 0, offset + 4);
}

function readNumber(key: Uint8Array, offset: number): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return view.getUint32(offset) * 0x1_0000_0000 + view.getUint32(offset + 4);
}
