import type { Batch, CursorId, LogId } from "@hongyan/core";
import { bytesOf } from "../batch-bytes.ts";

/** What was touched since it was last asked. */
export interface Touched {
  readonly logs: readonly LogId[];
  readonly cursors: readonly CursorId[];
  readonly records: readonly string[];
  /** More was touched than could be remembered: all of the store is to be looked at. */
  readonly isEverything: boolean;
}

/** What a name costs in a set beside its characters, about. */
const nameBytes = 64;

/**
 * The names of what commits touch while a store is copied, within a bound in bytes. A commit is noted when it has
 * settled: what is copied after that has it. One that was rejected may be found later, whole: its names are kept until
 * a commit after it has succeeded, for then the store has settled what is true.
 */
export class Changes {
  readonly #bytesMax: number;
  #logs = new Set<LogId>();
  #cursors = new Map<LogId, Set<string>>();
  #records = new Set<string>();
  #doubtful: Batch[] = [];
  #doubtfulBytes = 0;
  #bytes = 0;
  #isEverything = false;

  constructor(bytesMax = 64 * 1024 * 1024) {
    this.#bytesMax = bytesMax;
  }

  committed(batch: Batch): void {
    for (const doubtful of this.#doubtful.splice(0)) this.#note(doubtful);
    if (this.#doubtfulBytes > this.#bytesMax) this.#forget();
    this.#doubtfulBytes = 0;
    this.#note(batch);
  }

  rejected(batch: Batch): void {
    this.#doubtfulBytes += bytesOf(batch);
    if (this.#doubtfulBytes > this.#bytesMax) this.#doubtful = [];
    else this.#doubtful.push(batch);
  }

  trimmed(log: LogId): void {
    this.#add(this.#logs, log);
  }

  hasLog(log: LogId): boolean {
    return this.#isEverything || this.#logs.has(log);
  }

  hasCursor(log: LogId, reader: string): boolean {
    return this.#isEverything || this.#cursors.get(log)?.has(reader) === true;
  }

  hasRecord(key: string): boolean {
    return this.#isEverything || this.#records.has(key);
  }

  /** About how much there is to be copied. */
  get size(): number {
    let size = this.#logs.size + this.#records.size;
    for (const readers of this.#cursors.values()) size += readers.size;
    return size;
  }

  /** Answers what was touched, and begins anew. */
  take(): Touched {
    const taken = {
      logs: [...this.#logs],
      cursors: [...this.#cursors].flatMap(([log, readers]) =>
        [...readers].map((reader) => ({ log, reader })),
      ),
      records: [...this.#records],
      isEverything: this.#isEverything,
    };
    this.#clear();
    this.#isEverything = false;
    return taken;
  }

  #note({ appends, advances, puts }: Batch): void {
    if (this.#isEverything) return;
    for (const { log } of appends) this.#add(this.#logs, log);
    for (const { log, reader } of advances) {
      let readers = this.#cursors.get(log);
      if (readers === undefined) {
        readers = new Set();
        this.#cursors.set(log, readers);
      }
      this.#add(readers, reader);
    }
    for (const { key } of puts) this.#add(this.#records, key);
    if (this.#bytes > this.#bytesMax) this.#forget();
  }

  #forget(): void {
    this.#clear();
    this.#isEverything = true;
  }

  #add(names: Set<string>, name: string): void {
    if (names.has(name)) return;
    names.add(name);
    this.#bytes += nameBytes + name.length;
  }

  #clear(): void {
    this.#logs = new Set();
    this.#cursors = new Map();
    this.#records = new Set();
    this.#bytes = 0;
  }
}
