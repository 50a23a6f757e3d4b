import type { Entry } from "@hongyan/core";
import { ByteReader, type ByteWriter } from "./bytes.ts";

/** A commit's entries of one log are split into blocks of about this size: the most that one read decodes too much. */
export const blockBytesMax = 64 * 1024;

/** Consecutive entries of a log that are stored under one key. The key has the last seq, the value the rest. */
export interface Block {
  readonly last: number;
  readonly value: Buffer;
}

/** `count`, then time (difference to the one before) and length of each entry, then the bodies. */
export function encodeBlock(writer: ByteWriter, entries: readonly Entry[], from: number, to: number): Buffer {
  writer.varint(to - from);
  let time = 0;
  for (let i = from; i < to; i++) {
    const entry = entries[i] as Entry;
    writer.signed(entry.time - time);
    time = entry.time;
    writer.varint(entry.body.length);
  }
  for (let i = from; i < to; i++) writer.bytes((entries[i] as Entry).body);
  return writer.take();
}

/** The bodies share the memory of `value`. */
export function decodeBlock(last: number, value: Uint8Array): Entry[] {
  const reader = new ByteReader(value);
  const count = reader.varint();
  const times: number[] = [];
  const lengths: number[] = [];
  let time = 0;
  for (let i = 0; i < count; i++) {
    time += reader.signed();
    times.push(time);
    lengths.push(reader.varint());
  }
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const body = reader.bytes(lengths[i] as number);
    entries.push({ seq: last - count + 1 + i, time: times[i] as number, body });
  }
  return entries;
}

/** Splits the entries of one commit into blocks; an entry above `blockBytesMax` has one of its own. */
export function toBlocks(writer: ByteWriter, entries: readonly Entry[]): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) {
    const length = (entries[i] as Entry).body.length;
    if (i > from && bytes + length > blockBytesMax) {
      blocks.push({ last: (entries[i - 1] as Entry).seq, value: encodeBlock(writer, entries, from, i) });
      from = i;
      bytes = 0;
    }
    bytes += length;
  }
  const last = entries.at(-1);
  if (last !== undefined)
    blocks.push({ last: last.seq, value: encodeBlock(writer, entries, from, entries.length) });
  return blocks;
}
