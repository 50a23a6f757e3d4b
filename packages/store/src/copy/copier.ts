import type { Touched } from "./changes.ts";
import {
  type CopySource,
  type CopyTarget,
  type EntryRange,
  type LogMark,
  type Part,
  pageItemsMax,
  type RecordPart,
} from "./items.ts";
import { cursorParts, inPages, logParts, rangesBetween, recordParts } from "./parts.ts";
import { count, newTally, type Tally } from "./tally.ts";

export interface ClearableTarget extends CopyTarget {
  /** Takes all cursors and records out. */
  clear(): Promise<void>;
}

/** Copies from a store that is used to one that is not. */
export class Copier {
  readonly tally: Tally = newTally();
  readonly #source: CopySource;
  readonly #target: ClearableTarget;
  readonly #signal: AbortSignal;

  /** When `signal` aborts, what is under way rejects with its reason after the next part. */
  constructor(source: CopySource, target: ClearableTarget, signal: AbortSignal) {
    this.#source = source;
    this.#target = target;
    this.#signal = signal;
  }

  /** All there is; of each log what the target does not have yet. */
  async all(): Promise<void> {
    for await (const marks of inPages(this.#source.logs(""))) await this.#logs(marks);
    await this.#target.clear();
    await this.#put(cursorParts(this.#source.cursors("")));
    await this.#put(recordParts(this.#source.records("")));
  }

  /** How many entries the target does not have yet. */
  async missing(): Promise<number> {
    let missing = 0;
    for await (const marks of inPages(this.#source.logs(""))) {
      this.#signal.throwIfAborted();
      for (const { after, upTo } of await this.#ranges(marks)) missing += upTo - after;
    }
    return missing;
  }

  /** Answers what was copied of logs. */
  async touched({ logs, cursors, records }: Touched): Promise<EntryRange[]> {
    const copied: EntryRange[] = [];
    for (const names of chunks(logs))
      for (const range of await this.#logs(await this.#source.marks(names))) copied.push(range);
    for (const some of chunks(cursors)) {
      const positions = await this.#source.positions(some);
      // One of 0 is no cursor.
      const found = some.map((cursor, at) => ({ ...cursor, position: positions[at] ?? 0 }));
      await this.#put(cursorParts(one(found.filter(({ position }) => position > 0))));
    }
    for (const keys of chunks(records)) await this.#records(keys);
    return copied;
  }

  async #records(keys: readonly string[]): Promise<void> {
    const found = await this.#source.recordsOf(keys);
    await this.#put(recordParts(one(found.filter((record) => record !== undefined))));
    const gone = keys.flatMap((key, at): RecordPart[] =>
      found[at] === undefined ? [{ key, version: 0, value: undefined }] : [],
    );
    if (gone.length > 0) await this.#put(one({ logs: [], cursors: [], records: gone }));
  }

  async #logs(marks: readonly LogMark[]): Promise<EntryRange[]> {
    const have = await this.#target.marks(marks.map(({ log }) => log));
    await this.#put(logParts(this.#source, marks, have));
    return rangesBetween(marks, have);
  }

  async #ranges(marks: readonly LogMark[]): Promise<EntryRange[]> {
    return rangesBetween(marks, await this.#target.marks(marks.map(({ log }) => log)));
  }

  /** The next part is read while one is written. */
  async #put(parts: AsyncIterable<Part>): Promise<void> {
    let writing: Promise<void> = Promise.resolve();
    try {
      for await (const part of parts) {
        await writing;
        this.#signal.throwIfAborted();
        writing = this.#target.write(part);
        // Looked at when the next part is there.
        writing.catch(() => {});
        count(this.tally, part);
      }
    } finally {
      await writing;
    }
  }
}

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += pageItemsMax) yield items.slice(from, from + pageItemsMax);
}

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}
