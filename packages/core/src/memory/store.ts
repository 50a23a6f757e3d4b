import type {
  Batch,
  CommitOutcome,
  CursorId,
  Entry,
  LogId,
  PageLimit,
  Put,
  ReaderPosition,
  Store,
  StoredRecord,
} from "../ports.ts";
import { checkBatch } from "./check-batch.ts";
import { MemoryLog } from "./log.ts";
import { Page } from "./page.ts";
import { compareUtf8 } from "./utf8-order.ts";

/**
 * The executable specification of the Store port: short enough to be read as correct, and what every other store is
 * compared with. Not durable; for tests, simulations and nodes that need no memory.
 */
export class MemoryStore implements Store {
  readonly epoch: string;
  readonly #logs = new Map<LogId, MemoryLog>();
  readonly #records = new Map<string, StoredRecord>();
  #closed = false;

  constructor(epoch = "memory") {
    this.epoch = epoch;
  }

  async commit(batch: Batch): Promise<CommitOutcome> {
    this.#check();
    checkBatch(batch);
    const puts: (number | undefined)[] = [];
    for (const put of batch.puts) puts.push(this.#put(put, puts));
    const appends = batch.appends.map((append) => {
      const refused = append.guard !== undefined && puts[append.guard] === undefined;
      if (refused) return { status: "refused" as const, seq: 0, time: 0 };
      return this.#log(append.log).append(append);
    });
    for (const { log, reader, position } of batch.advances) {
      const { cursors } = this.#log(log);
      if (position > (cursors.get(reader) ?? 0)) cursors.set(reader, position);
    }
    return { appends, puts };
  }

  async read(log: LogId, after: number, limit: PageLimit): Promise<Entry[]> {
    this.#check();
    const page = new Page(limit);
    const found = this.#logs.get(log);
    if (found === undefined) return page.entries;
    for (let seq = Math.max(after, found.trimmed) + 1; seq <= found.head; seq++) {
      if (!page.take(found.at(seq) as Entry)) break;
    }
    return page.entries;
  }

  async readBack(log: LogId, before: number, limit: PageLimit): Promise<Entry[]> {
    this.#check();
    const page = new Page(limit);
    const found = this.#logs.get(log);
    if (found === undefined) return page.entries;
    for (let seq = Math.min(before - 1, found.head); seq > found.trimmed; seq--) {
      if (!page.take(found.at(seq) as Entry)) break;
    }
    return page.entries;
  }

  async heads(logs: readonly LogId[]): Promise<number[]> {
    this.#check();
    return logs.map((log) => this.#logs.get(log)?.head ?? 0);
  }

  async find(log: LogId, producer: string, number: number): Promise<number | undefined> {
    this.#check();
    return this.#logs.get(log)?.keys.get(producer)?.get(number);
  }

  async trim(log: LogId, upTo: number): Promise<void> {
    this.#check();
    this.#logs.get(log)?.trim(upTo);
  }

  async positions(of: readonly CursorId[]): Promise<number[]> {
    this.#check();
    return of.map(({ log, reader }) => this.#logs.get(log)?.cursors.get(reader) ?? 0);
  }

  async readers(log: LogId, after: string, count: number): Promise<ReaderPosition[]> {
    this.#check();
    return [...(this.#logs.get(log)?.cursors ?? [])]
      .map(([reader, position]) => ({ reader, position }))
      .filter(({ reader }) => compareUtf8(reader, after) > 0)
      .sort((a, b) => compareUtf8(a.reader, b.reader))
      .slice(0, count);
  }

  async records(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    this.#check();
    return keys.map((key) => this.#records.get(key));
  }

  async list(prefix: string, after: string, count: number): Promise<StoredRecord[]> {
    this.#check();
    return [...this.#records.values()]
      .filter(({ key }) => key.startsWith(prefix) && compareUtf8(key, after) > 0)
      .sort((a, b) => compareUtf8(a.key, b.key))
      .slice(0, count);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** The new version (0: deleted), or undefined where the put does not land. */
  #put(
    { key, value, expect, head, guard }: Put,
    earlier: readonly (number | undefined)[],
  ): number | undefined {
    if (guard !== undefined && earlier[guard] === undefined) return undefined;
    if (head !== undefined && head.seq !== (this.#logs.get(head.log)?.head ?? 0)) return undefined;
    const version = this.#records.get(key)?.version ?? 0;
    if (expect !== undefined && expect !== version) return undefined;
    if (value === undefined) {
      this.#records.delete(key);
      return 0;
    }
    this.#records.set(key, { key, value: new Uint8Array(value), version: version + 1 });
    return version + 1;
  }

  #log(log: LogId): MemoryLog {
    let found = this.#logs.get(log);
    if (found === undefined) {
      found = new MemoryLog();
      this.#logs.set(log, found);
    }
    return found;
  }

  #check(): void {
    if (this.#closed) throw new Error("The store is closed");
  }
}
