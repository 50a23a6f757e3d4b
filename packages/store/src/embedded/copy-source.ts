import type { CursorId, LogId, StoredRecord } from "@hongyan/core";
import {
  type CopySource,
  type EntryPage,
  type EntryRange,
  itemBytes,
  type KeyedEntry,
  type LogMark,
  pageBytesMax,
  type ReaderMark,
} from "../copy/items.ts";
import { StoreError } from "../store-error.ts";
import { ByteReader } from "./bytes.ts";
import { pagesOf, pagesOfLogs } from "./copy-scan.ts";
import { decodePosition } from "./cursor-plan.ts";
import { trimmedOf } from "./holes.ts";
import type { KeyValue } from "./key-value.ts";
import { KeyWindow } from "./key-window.ts";
import {
  cursorKey,
  kind,
  logOf,
  readerOf,
  recordKey,
  recordOf,
  recordRange,
  stateKey,
  trimmedKey,
} from "./keys.ts";
import { readAfter } from "./log-reader.ts";
import { headOf } from "./log-state.ts";
import { recordsOf } from "./lookups.ts";
import { decodeRecord } from "./record-plan.ts";

/** Ranges that are read side by side: short ones wait for the disk rather than for the processor. */
const lanes = 16;

/** Everything in an embedded store, while it is used. */
export class EmbeddedSource implements CopySource {
  readonly epoch: string;
  readonly #reading: () => KeyValue;
  /** Of a long log, whose pages come one after another. */
  #window: KeyWindow | undefined;

  constructor(epoch: string, reading: () => KeyValue) {
    this.epoch = epoch;
    this.#reading = reading;
  }

  async *logs(prefix: string): AsyncGenerator<LogMark[]> {
    for await (const pairs of pagesOfLogs(this.#reading(), kind.state, prefix, true))
      yield await this.marks(pairs.map(([key]) => logOf(key)));
  }

  async *cursors(prefix: string): AsyncGenerator<ReaderMark[]> {
    for await (const pairs of pagesOfLogs(this.#reading(), kind.cursor, prefix))
      yield pairs.map(([key, value]) => ({
        log: logOf(key),
        reader: readerOf(key),
        position: decodePosition(value),
      }));
  }

  async *records(prefix: string): AsyncGenerator<StoredRecord[]> {
    const gte = recordKey(prefix);
    const { lt } = recordRange(prefix, "");
    for await (const pairs of pagesOf(this.#reading(), { gte, lt }))
      yield pairs.map(([key, value]) => decodeRecord(recordOf(key), value));
  }

  async marks(logs: readonly LogId[]): Promise<LogMark[]> {
    const values = await this.#reading().getMany([...logs.map(stateKey), ...logs.map(trimmedKey)]);
    return logs.map((log, at) => {
      const [state, trimmed] = [values[at], values[logs.length + at]];
      return {
        log,
        head: state === undefined ? 0 : headOf(state),
        trimmed: trimmed === undefined ? 0 : new ByteReader(trimmed).varint(),
      };
    });
  }

  async entries(ranges: readonly EntryRange[]): Promise<EntryPage[]> {
    const pages: EntryPage[] = [];
    let room = pageBytesMax;
    for (let from = 0; from < ranges.length; from += lanes) {
      const some = ranges.slice(from, from + lanes);
      const share = Math.ceil(room / some.length);
      const read = await Promise.all(
        some.map((range) =>
          share > 0 ? this.#page(range, share) : Promise.resolve({ entries: [], upTo: range.after }),
        ),
      );
      for (const page of read) {
        pages.push(page);
        for (const { body } of page.entries) room -= itemBytes + (body?.length ?? 0);
      }
    }
    return pages;
  }

  async #page({ log, after, upTo }: EntryRange, bytes: number): Promise<EntryPage> {
    const keyValue = this.#reading();
    const window = await this.#keys(keyValue, log, after, upTo);
    const end = Math.min(upTo, window.upTo);
    for (let trimmed = await trimmedOf(keyValue, log); ; ) {
      const from = Math.max(after, trimmed);
      const entries: KeyedEntry[] = [];
      for (let seq = after + 1; seq <= Math.min(trimmed, end); seq++) {
        const key = window.keyOf(seq);
        if (key !== undefined) entries.push({ seq, time: 0, key, body: undefined });
      }
      if (from >= end) return { entries, upTo: end };
      const page = await readAfter(keyValue, log, from, { count: end - from, bytes });
      let next = from + 1;
      for (const { seq, time, body } of page.entries) {
        if (seq !== next) break;
        entries.push({ seq, time, key: window.keyOf(seq), body });
        next++;
      }
      const last = page.entries.at(-1)?.seq;
      if (next === (last ?? end) + 1) return { entries, upTo: next - 1 };
      // Trimmed since it was asked, or lost.
      const now = await trimmedOf(keyValue, log);
      if (now <= trimmed)
        throw new StoreError(
          "damaged",
          `The log ${log} has lost its entry ${next}, perhaps others behind it`,
        );
      trimmed = now;
    }
  }

  async #keys(keyValue: KeyValue, log: LogId, after: number, upTo: number): Promise<KeyWindow> {
    if (this.#window?.has(log, after)) return this.#window;
    const window = await KeyWindow.read(keyValue, log, after, upTo);
    if (window.upTo < upTo) this.#window = window;
    return window;
  }

  async positions(of: readonly CursorId[]): Promise<number[]> {
    const values = await this.#reading().getMany(of.map(({ log, reader }) => cursorKey(log, reader)));
    return values.map((value) => (value === undefined ? 0 : decodePosition(value)));
  }

  recordsOf(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return recordsOf(this.#reading(), keys);
  }
}
