import { digestOf } from "../digest.ts";
import type { Changes, Touched } from "./changes.ts";
import {
  type CopySource,
  type EntryKey,
  type EntryRange,
  type KeyedEntry,
  type LogMark,
  pageItemsMax,
  type ReaderMark,
} from "./items.ts";
import { inPages, rangePages } from "./parts.ts";
import { count, newTally, type Tally } from "./tally.ts";

/** The two sides do not hold the same. The message names the log and the seq, the cursor or the record. */
export class MismatchError extends Error {
  override readonly name = "MismatchError";
}

export interface ComparisonOptions {
  readonly source: CopySource;
  readonly target: CopySource;
  readonly signal: AbortSignal;
  /**
   * Where the source is used meanwhile: what it was touched in since it was copied is not compared, for it is copied
   * and compared again. `settle` resolves when everything that was asked for before is noted.
   */
  readonly live?: { readonly changes: Changes; settle(): Promise<void> } | undefined;
  /** The target has gone on: it may have more entries, higher positions and versions. */
  readonly isAhead?: boolean | undefined;
}

interface StoredVersion {
  readonly version: number;
  readonly value: Uint8Array;
}

/** Compares two stores, item by item. Rejects with `MismatchError` at the first difference. */
export class Comparison {
  readonly tally: Tally = newTally();
  readonly #options: ComparisonOptions;

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  /** Everything of the source with the target, and whether the target has anything else. */
  async all(): Promise<void> {
    const { source, target, isAhead = false } = this.#options;
    for await (const marks of inPages(source.logs(""))) await this.#logs(marks);
    for await (const cursors of source.cursors("")) await this.#cursors(cursors);
    for await (const records of source.records("")) await this.#records(records.map(({ key }) => key));
    if (isAhead) return;
    for await (const marks of inPages(target.logs(""))) await this.#marks(marks.map(({ log }) => log));
    for await (const cursors of target.cursors("")) await this.#cursors(cursors, "only looked for");
    for await (const records of target.records(""))
      await this.#records(
        records.map(({ key }) => key),
        "only looked for",
      );
  }

  /** What was touched and copied again: `ranges` of entries, and all that was named. */
  async touched({ logs, cursors, records }: Touched, ranges: readonly EntryRange[]): Promise<void> {
    for (let at = 0; at < logs.length; at += pageItemsMax)
      await this.#marks(logs.slice(at, at + pageItemsMax));
    await this.#entries(ranges, new Map());
    for (let at = 0; at < cursors.length; at += pageItemsMax) {
      const some = cursors.slice(at, at + pageItemsMax);
      const positions = await this.#options.source.positions(some);
      await this.#cursors(some.map((cursor, n) => ({ ...cursor, position: positions[n] ?? 0 })));
    }
    for (let at = 0; at < records.length; at += pageItemsMax)
      await this.#records(records.slice(at, at + pageItemsMax));
  }

  async #marks(logs: readonly string[]): Promise<void> {
    const [ours, theirs] = await Promise.all([
      this.#options.source.marks(logs),
      this.#options.target.marks(logs),
    ]);
    for (const [at, log] of logs.entries()) await this.#mark(log, ours[at], theirs[at]);
  }

  async #mark(log: string, ours: LogMark | undefined, theirs: LogMark | undefined): Promise<void> {
    for (const name of ["head", "trimmed"] as const) {
      const [here = 0, there = 0] = [ours?.[name], theirs?.[name]];
      if (here === there || (this.#options.isAhead && there > here)) continue;
      await this.#differs(
        () => this.#options.live?.changes.hasLog(log),
        `The log ${log}: ${name} is ${here} in the data directory, ${there} in the copy`,
      );
    }
  }

  async #logs(marks: readonly LogMark[]): Promise<void> {
    this.#options.signal.throwIfAborted();
    const theirs = await this.#options.target.marks(marks.map(({ log }) => log));
    const ranges: EntryRange[] = [];
    const trimmed = new Map<string, number>();
    for (const [at, mark] of marks.entries()) {
      const their = theirs[at] as LogMark;
      await this.#mark(mark.log, mark, their);
      const upTo = Math.min(mark.head, their.head);
      if (upTo > 0) ranges.push({ log: mark.log, after: 0, upTo });
      if (their.trimmed > mark.trimmed) trimmed.set(mark.log, their.trimmed);
    }
    await this.#entries(ranges, trimmed);
  }

  /** `trimmed`: what the target alone has trimmed, of whose entries only keys can be compared. */
  async #entries(ranges: readonly EntryRange[], trimmed: ReadonlyMap<string, number>): Promise<void> {
    const { source, target, signal } = this.#options;
    for await (const pages of rangePages(source, ranges)) {
      signal.throwIfAborted();
      const theirs = new Map<string, KeyedEntry[]>();
      for await (const more of rangePages(target, pages))
        for (const { log, entries } of more) {
          const known = theirs.get(log);
          if (known === undefined) theirs.set(log, [...entries]);
          else for (const entry of entries) known.push(entry);
        }
      for (const { log, entries } of pages) {
        const fault = differenceOf(entries, theirs.get(log) ?? [], trimmed.get(log) ?? 0);
        if (fault !== undefined)
          await this.#differs(
            () => this.#options.live?.changes.hasLog(log),
            `The log ${log}, seq ${fault.seq}: ${fault.what}`,
          );
      }
      count(this.tally, {
        logs: pages.map((page) => ({ ...page, head: page.upTo, trimmed: 0 })),
        cursors: [],
        records: [],
      });
    }
  }

  async #cursors(cursors: readonly ReaderMark[], purpose?: "only looked for"): Promise<void> {
    this.#options.signal.throwIfAborted();
    const other = purpose === undefined ? this.#options.target : this.#options.source;
    const positions = await other.positions(cursors);
    for (const [at, { log, reader, position }] of cursors.entries()) {
      const found = positions[at] ?? 0;
      if (found === position || (this.#options.isAhead && found > position)) continue;
      await this.#differs(
        () => this.#options.live?.changes.hasCursor(log, reader),
        `The cursor of ${reader} in ${log} is ${position} on one side, ${found} on the other`,
      );
    }
    if (purpose === undefined) this.tally.cursors += cursors.length;
  }

  async #records(keys: readonly string[], purpose?: "only looked for"): Promise<void> {
    this.#options.signal.throwIfAborted();
    const { source, target, isAhead = false } = this.#options;
    const [ours, theirs] = await Promise.all([source.recordsOf(keys), target.recordsOf(keys)]);
    for (const [at, key] of keys.entries()) {
      const what = recordDifference(ours[at], theirs[at], isAhead);
      if (what === undefined) continue;
      await this.#differs(() => this.#options.live?.changes.hasRecord(key), `The record ${key}: ${what}`);
    }
    if (purpose === undefined) this.tally.records += keys.length;
  }

  async #differs(isTouched: () => boolean | undefined, what: string): Promise<void> {
    await this.#options.live?.settle();
    if (isTouched() !== true) throw new MismatchError(what);
  }
}

function differenceOf(
  ours: readonly KeyedEntry[],
  theirs: readonly KeyedEntry[],
  trimmed: number,
): { readonly seq: number; readonly what: string } | undefined {
  // What the other side has trimmed is not there where it has no key.
  const wanted = ours.filter(({ seq, key }) => seq > trimmed || key !== undefined);
  for (let at = 0; at < Math.max(wanted.length, theirs.length); at++) {
    const [our, their] = [wanted[at], theirs[at]];
    if (our === undefined) return { seq: their?.seq ?? 0, what: "it is only in the copy" };
    if (their === undefined || their.seq !== our.seq)
      return { seq: our.seq, what: "it is missing in the copy" };
    if (!isSameKey(our.key, their.key)) return { seq: our.seq, what: "the idempotency key differs" };
    if (our.seq <= trimmed) continue;
    if (our.time !== their.time) return { seq: our.seq, what: "the time differs" };
    if (!isSame(our.body, their.body)) return { seq: our.seq, what: "the body differs" };
  }
  return undefined;
}

/** A record that the target has deleted since is ahead as well. */
function recordDifference(
  ours: StoredVersion | undefined,
  theirs: StoredVersion | undefined,
  isAhead: boolean,
): string | undefined {
  if (isAhead && (theirs === undefined || theirs.version > (ours?.version ?? 0))) return undefined;
  if (ours === undefined && theirs === undefined) return undefined;
  if (ours === undefined) return "it is only in the copy";
  if (theirs === undefined) return "it is missing in the copy";
  if (ours.version !== theirs.version) return `version ${ours.version}, ${theirs.version} in the copy`;
  return isSame(ours.value, theirs.value) ? undefined : "the value differs";
}

function isSameKey(one: EntryKey | undefined, other: EntryKey | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.number === other.number && isSame(idOf(one), idOf(other));
}

function idOf({ producer }: EntryKey): Uint8Array {
  return typeof producer === "string" ? digestOf(producer) : producer;
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}
