import type { CursorId, LogId, StoredRecord } from "@hongyan/core";
import {
  type CopySource,
  type EntryPage,
  type EntryRange,
  type KeyedEntry,
  type LogMark,
  pageBytesMax,
  type ReaderMark,
} from "../copy/items.ts";
import { digestOf } from "../digest.ts";
import { int8Array, uuidArray } from "./binary-array.ts";
import { cursorPage, entryPage, logMarks, logPage } from "./copy-statements.ts";
import { positionsOf, recordsOf, recordsWith } from "./lookups.ts";
import { orderedName } from "./ordered-name.ts";
import type { Row, Writer } from "./writer.ts";

const rowsMax = 1000;
/** What is found beyond a page is found again for the next one: mostly the bytes end a page. */
const entriesMax = 20_000;
const lowest: Buffer = Buffer.alloc(16);
const nothing: Buffer = Buffer.alloc(0);

/** Everything in the tables, over one connection; what it sees is what the connection's transaction sees. */
export class PostgresSource implements CopySource {
  readonly epoch: string;
  readonly #connection: Pick<Writer, "run">;

  constructor(epoch: string, connection: Pick<Writer, "run">) {
    this.epoch = epoch;
    this.#connection = connection;
  }

  async *logs(prefix: string): AsyncGenerator<LogMark[]> {
    // A log without a head is there for its cursors.
    for await (const marks of this.#allLogs(prefix)) yield marks.filter(({ head }) => head > 0);
  }

  async *#allLogs(prefix: string): AsyncGenerator<LogMark[]> {
    for (let after = lowest; ; ) {
      const rows = await this.#connection.run(logPage, [Buffer.from(prefix), after, rowsMax]);
      const marks = rows.map(([name, head, trimmed]) => ({
        log: String(name),
        head: Number(head),
        trimmed: Number(trimmed),
      }));
      yield marks;
      const last = marks.at(-1);
      if (last === undefined) return;
      after = digestOf(last.log);
    }
  }

  async *cursors(prefix: string): AsyncGenerator<ReaderMark[]> {
    for await (const marks of this.#allLogs(prefix)) {
      const ids = uuidArray(marks.map(({ log }) => digestOf(log)));
      for (let after: Buffer[] | undefined = [lowest, nothing, nothing]; after !== undefined; ) {
        const rows = await this.#connection.run(cursorPage, [ids, ...after, rowsMax]);
        const cursors = rows.map(([log, reader, position]) => ({
          log: String(log),
          reader: String(reader),
          position: Number(position),
        }));
        yield cursors;
        const last = cursors.at(-1);
        const name = last && orderedName(last.reader);
        after = name && last && [digestOf(last.log), name.head, name.digest];
      }
    }
  }

  async *records(prefix: string): AsyncGenerator<StoredRecord[]> {
    // The key may be the prefix itself; `after` is above it, or nothing.
    const own = (await this.recordsOf([prefix])).filter((record) => record !== undefined);
    if (own.length > 0) yield own;
    for (let after = prefix; ; ) {
      const records = await recordsWith(this.#connection, prefix, after, rowsMax);
      yield records;
      const last = records.at(-1);
      if (last === undefined) return;
      after = last.key;
    }
  }

  async marks(logs: readonly LogId[]): Promise<LogMark[]> {
    if (logs.length === 0) return [];
    const rows = await this.#connection.run(logMarks, [uuidArray(logs.map(digestOf))]);
    return rows.map(([head, trimmed], at) => ({
      log: logs[at] as LogId,
      head: Number(head),
      trimmed: Number(trimmed),
    }));
  }

  async entries(ranges: readonly EntryRange[]): Promise<EntryPage[]> {
    const rows = await this.#connection.run(entryPage, [
      uuidArray(ranges.map(({ log }) => digestOf(log))),
      int8Array(ranges.map(({ after }) => after)),
      int8Array(ranges.map(({ upTo }) => upTo)),
      pageBytesMax,
      entriesMax,
    ]);
    const found = Map.groupBy(rows, ([at]) => Number(at));
    const last = Number(rows.at(-1)?.[0] ?? ranges.length);
    return ranges.map(({ after, upTo }, at) => {
      const entries = (found.get(at) ?? []).map(toEntry);
      // Rows come range by range: those before the last one are complete, and of those behind it nothing is known.
      if (at < last) return { entries, upTo };
      return { entries, upTo: entries.at(-1)?.seq ?? after };
    });
  }

  positions(of: readonly CursorId[]): Promise<number[]> {
    return positionsOf(this.#connection, of);
  }

  recordsOf(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return recordsOf(this.#connection, keys);
  }
}

function toEntry([, seq, time, producer, number, body]: Row): KeyedEntry {
  return {
    seq: Number(seq),
    time: Number(time),
    key: producer === null ? undefined : { producer: producer as Buffer, number: Number(number) },
    body: body === null ? undefined : (body as Buffer),
  };
}
