import type { LogId } from "@hongyan/core";
import type { CopyTarget, EntryKey, LogMark, LogPart, Part } from "../copy/items.ts";
import { StoreError } from "../store-error.ts";
import { toBlocks } from "./block.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { encodeTrimmed } from "./holes.ts";
import type { KeyValue, Operation } from "./key-value.ts";
import {
  chunkKey,
  cursorKey,
  digestChunkKey,
  entriesKey,
  entriesPrefix,
  recordKey,
  stateKey,
  trimmedKey,
} from "./keys.ts";
import { decodeLogState, encodeLogState, newLogState } from "./log-state.ts";
import { chunkOf, insert, type NumberChunk, readChunk, seqIn, writeChunk } from "./number-chunk.ts";
import { encodeRecord } from "./record-plan.ts";

export interface EmbeddedTargetOptions {
  readonly reading: () => KeyValue;
  readonly write: (operations: readonly Operation[]) => Promise<void>;
  readonly marks: (logs: readonly LogId[]) => Promise<LogMark[]>;
}

/**
 * Puts items into an embedded store. All keys become chunks of their own (number-chunk.ts): which producers are the
 * recent ones, whose chunks the state of a log has, only commits know.
 */
export class EmbeddedTarget implements CopyTarget {
  readonly #options: EmbeddedTargetOptions;

  constructor(options: EmbeddedTargetOptions) {
    this.#options = options;
  }

  marks(logs: readonly LogId[]): Promise<LogMark[]> {
    return this.#options.marks(logs);
  }

  async write({ logs, cursors, records }: Part): Promise<void> {
    const writer = new ByteWriter();
    const operations: Operation[] = [];
    for (const log of logs) await this.#writeLog(log, writer, operations);
    for (const { log, reader, position } of cursors) {
      writer.varint(position);
      operations.push({ key: cursorKey(log, reader), value: writer.take() });
    }
    for (const { key, version, value } of records)
      operations.push({ key: recordKey(key), value: value && encodeRecord(writer, version, value) });
    await this.#options.write(operations);
  }

  async #writeLog(
    { log, head, trimmed, entries }: LogPart,
    writer: ByteWriter,
    operations: Operation[],
  ): Promise<void> {
    const keyValue = this.#options.reading();
    const bodies = entries.flatMap(({ seq, time, body }) =>
      body === undefined ? [] : [{ seq, time, body }],
    );
    const prefix = entriesPrefix(log);
    for (const { last, value } of toBlocks(writer, bodies))
      operations.push({ key: entriesKey(prefix, last), value });
    const [stored] = await keyValue.getMany([stateKey(log)]);
    const state = stored === undefined ? newLogState() : decodeLogState(stored);
    state.head = head;
    state.evicted = true;
    const chunks = new Map<string, { readonly key: Buffer; readonly keys: [number, number][] }>();
    for (const { seq, key } of entries) {
      if (key === undefined) continue;
      if (typeof key.producer !== "string") state.digests = true;
      else if (key.number === 0) state.unnumbered = true;
      const stored = storedUnder(log, key);
      const name = stored.toString("latin1");
      const chunk = chunks.get(name) ?? { key: stored, keys: [] };
      chunk.keys.push([key.number, seq]);
      chunks.set(name, chunk);
    }
    operations.push({ key: stateKey(log), value: encodeLogState(writer, state, nowhere) });
    if (trimmed > 0) operations.push({ key: trimmedKey(log), value: encodeTrimmed(trimmed) });
    const changed = [...chunks.values()];
    const values = changed.length === 0 ? [] : await keyValue.getMany(changed.map(({ key }) => key));
    changed.forEach(({ key, keys }, at) => {
      const value = values[at];
      const chunk: NumberChunk =
        value === undefined ? { bits: 0, seqs: [] } : readChunk(new ByteReader(value));
      for (const [number, seq] of keys) {
        if (seqIn(chunk, number) !== undefined)
          throw new StoreError("foreign", `The log ${log} has one key at two entries: ${seq} is the second`);
        insert(chunk, number, seq);
      }
      writeChunk(writer, chunk);
      operations.push({ key, value: writer.take() });
    });
  }
}

function storedUnder(log: LogId, { producer, number }: EntryKey): Buffer {
  return typeof producer === "string"
    ? chunkKey(log, producer, chunkOf(number))
    : digestChunkKey(log, producer, chunkOf(number));
}

/** A state without open chunks has none to make room for. */
const nowhere = { get: () => undefined, set: () => {} };
