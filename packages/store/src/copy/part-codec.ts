/** Parts as bytes: blocks of a domain file. */
import { ByteReader, type ByteWriter } from "../embedded/bytes.ts";
import type { EntryKey, KeyedEntry, LogPart, Part, Producer } from "./items.ts";

const digestBytes = 16;
/** What a store takes: check-batch.ts. */
const timeMax = 2 ** 52 - 1;
const nameLengthMax = 16_384;

/** What follows of an entry. */
const flags = { name: 1, digest: 2, sameProducer: 4, body: 8 };

export function encodePart(writer: ByteWriter, { logs, cursors, records }: Part): Buffer {
  writer.varint(logs.length);
  for (const part of logs) encodeLog(writer, part);
  writer.varint(cursors.length);
  for (const { log, reader, position } of cursors) {
    writer.text(log);
    writer.text(reader);
    writer.varint(position);
  }
  writer.varint(records.length);
  for (const { key, version, value } of records) {
    writer.text(key);
    writer.varint(version);
    sized(writer, value ?? new Uint8Array(0));
  }
  return writer.take();
}

function encodeLog(writer: ByteWriter, { log, head, trimmed, entries }: LogPart): void {
  writer.text(log);
  writer.varint(head);
  writer.varint(trimmed);
  writer.varint(entries.length);
  let seqBefore = 0;
  let producerBefore: Producer | undefined;
  for (const { seq, time, key, body } of entries) {
    writer.varint(seq - seqBefore);
    seqBefore = seq;
    const isSame = key !== undefined && isSameProducer(key.producer, producerBefore);
    writer.byte(flagsOf(key, isSame) | (body === undefined ? 0 : flags.body));
    if (key !== undefined && !isSame) {
      if (typeof key.producer === "string") writer.text(key.producer);
      else writer.bytes(key.producer);
      producerBefore = key.producer;
    }
    if (key !== undefined) writer.varint(key.number);
    writer.varint(time);
    if (body !== undefined) sized(writer, body);
  }
}

function flagsOf(key: EntryKey | undefined, isSame: boolean): number {
  if (key === undefined) return 0;
  if (isSame) return flags.sameProducer;
  return typeof key.producer === "string" ? flags.name : flags.digest;
}

function isSameProducer(one: Producer, other: Producer | undefined): boolean {
  if (typeof one === "string" || typeof other === "string" || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}

/** Throws `RangeError` where the bytes are not what `encodePart` makes. Values share their memory. */
export function decodePart(bytes: Uint8Array): Part {
  const reader = new ByteReader(bytes);
  const logs = many(reader, () => decodeLog(reader));
  const cursors = many(reader, () => ({
    log: name(reader),
    reader: name(reader),
    position: integer(reader),
  }));
  const records = many(reader, () => ({
    key: name(reader),
    version: integer(reader),
    value: reader.bytes(integer(reader)),
  }));
  if (!reader.ended) throw new RangeError("A block has more than its items");
  return { logs, cursors, records };
}

function decodeLog(reader: ByteReader): LogPart {
  const [log, head, trimmed] = [name(reader), integer(reader), integer(reader)];
  let seq = 0;
  let producer: Producer | undefined;
  const entries = many(reader, (): KeyedEntry => {
    seq += integer(reader);
    const has = reader.byte();
    if (has & flags.name) producer = name(reader);
    if (has & flags.digest) producer = reader.bytes(digestBytes);
    const isKeyed = (has & (flags.name | flags.digest | flags.sameProducer)) !== 0;
    if (isKeyed && producer === undefined) throw new RangeError("An entry has a key of nobody");
    const key = isKeyed ? { producer: producer as Producer, number: integer(reader) } : undefined;
    const time = integer(reader);
    if (time > timeMax) throw new RangeError("A time is beyond the year 144,000");
    return { seq, time, key, body: has & flags.body ? reader.bytes(integer(reader)) : undefined };
  });
  return { log, head, trimmed, entries };
}

/** Each item takes a byte at least: a count that promises more is found out before its items are made. */
function many<T>(reader: ByteReader, read: () => T): T[] {
  const length = integer(reader);
  const items: T[] = [];
  for (let i = 0; i < length; i++) items.push(read());
  return items;
}

function name(reader: ByteReader): string {
  const text = reader.text();
  if (text.length > nameLengthMax) throw new RangeError("A name is too long");
  return text;
}

function integer(reader: ByteReader): number {
  const value = reader.varint();
  if (!Number.isSafeInteger(value)) throw new RangeError("A number is too large");
  return value;
}

function sized(writer: ByteWriter, bytes: Uint8Array): void {
  writer.varint(bytes.length);
  writer.bytes(bytes);
}
