import type { CursorId, LogId, ReaderPosition, StoredRecord } from "@hongyan/core";
import { digestOf } from "../digest.ts";
import { ByteReader } from "./bytes.ts";
import { type Caches, cursorName } from "./caches.ts";
import { decodePosition } from "./cursor-plan.ts";
import { type KeyValue, scanAll } from "./key-value.ts";
import {
  chunkKey,
  cursorKey,
  cursorRange,
  digestChunkKey,
  readerOf,
  recordKey,
  recordOf,
  recordRange,
  stateKey,
} from "./keys.ts";
import { decodeLogState, headOf, newLogState, seqOfNumber } from "./log-state.ts";
import { chunkOf, readChunk, seqIn } from "./number-chunk.ts";
import { decodeRecord } from "./record-plan.ts";

export async function headsOf(keyValue: KeyValue, caches: Caches, logs: readonly LogId[]): Promise<number[]> {
  return cachedOrRead(keyValue, logs, (log) => caches.peekHead(log), stateKey, headOf);
}

export async function positionsOf(
  keyValue: KeyValue,
  caches: Caches,
  of: readonly CursorId[],
): Promise<number[]> {
  return cachedOrRead(
    keyValue,
    of,
    ({ log, reader }) => caches.peekCursor(cursorName(log, reader)),
    ({ log, reader }) => cursorKey(log, reader),
    decodePosition,
  );
}

/** A number for each item: from memory, or by one read of all that are not there; 0 where nothing is stored. */
async function cachedOrRead<T>(
  keyValue: KeyValue,
  items: readonly T[],
  cached: (item: T) => number | undefined,
  keyOf: (item: T) => Buffer,
  decode: (stored: Uint8Array) => number,
): Promise<number[]> {
  const numbers: number[] = [];
  const missing: number[] = [];
  for (let i = 0; i < items.length; i++) {
    const number = cached(items[i] as T);
    if (number === undefined) missing.push(i);
    numbers.push(number ?? 0);
  }
  if (missing.length === 0) return numbers;
  const stored = await keyValue.getMany(missing.map((i) => keyOf(items[i] as T)));
  for (let i = 0; i < missing.length; i++) {
    const value = stored[i];
    if (value !== undefined) numbers[missing[i] as number] = decode(value);
  }
  return numbers;
}

export async function seqOfKey(
  keyValue: KeyValue,
  log: LogId,
  producer: string,
  number: number,
): Promise<number | undefined> {
  if (producer === "") return undefined;
  const chunk = chunkOf(number);
  const [stored, value] = await keyValue.getMany([stateKey(log), chunkKey(log, producer, chunk)]);
  const state = stored ? decodeLogState(stored) : newLogState();
  const table = {
    get: () => value && readChunk(new ByteReader(value)),
    set: () => {},
  };
  const seq = seqOfNumber(state, table, producer, number);
  if (seq !== undefined || !state.digests) return seq;
  const [digested] = await keyValue.getMany([digestChunkKey(log, digestOf(producer), chunk)]);
  return digested && seqIn(readChunk(new ByteReader(digested)), number);
}

export async function readersOf(
  keyValue: KeyValue,
  log: LogId,
  after: string,
  count: number,
): Promise<ReaderPosition[]> {
  if (count <= 0) return [];
  const pairs = await scanAll(keyValue, { ...cursorRange(log, after), limit: count });
  return pairs.map(([key, value]) => ({ reader: readerOf(key), position: decodePosition(value) }));
}

export async function recordsOf(
  keyValue: KeyValue,
  keys: readonly string[],
): Promise<(StoredRecord | undefined)[]> {
  const stored = await keyValue.getMany(keys.map(recordKey));
  return stored.map((value, i) => value && decodeRecord(keys[i] as string, value));
}

export async function listRecords(
  keyValue: KeyValue,
  prefix: string,
  after: string,
  count: number,
): Promise<StoredRecord[]> {
  if (count <= 0) return [];
  const pairs = await scanAll(keyValue, { ...recordRange(prefix, after), limit: count });
  return pairs.map(([key, value]) => decodeRecord(recordOf(key), value));
}
