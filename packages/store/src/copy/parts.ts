/** All of a store, or of what begins with a prefix, as parts that are put into another one. */
import type { StoredRecord } from "@hongyan/core";
import { StoreError } from "../store-error.ts";
import {
  type CopySource,
  type EntryRange,
  itemBytes,
  type LogMark,
  type LogPart,
  type Part,
  pageBytesMax,
  pageItemsMax,
  type ReaderMark,
} from "./items.ts";

/** Logs, each from the head and the trimmed seq that the other side has (`have`) up to its own mark. */
export async function* logParts(
  source: Pick<CopySource, "entries">,
  marks: readonly LogMark[],
  have: readonly LogMark[],
): AsyncGenerator<Part> {
  const byLog = new Map(marks.map((mark) => [mark.log, mark]));
  const trimmed = marks.flatMap((mark, at): LogPart[] => {
    const { head, trimmed } = have[at] as LogMark;
    return head === mark.head && trimmed < mark.trimmed ? [{ ...mark, entries: [] }] : [];
  });
  if (trimmed.length > 0) yield partOf({ logs: trimmed });
  for await (const pages of rangePages(source, rangesBetween(marks, have))) {
    const logs = pages.map(({ log, upTo, entries }): LogPart => {
      const { trimmed } = byLog.get(log) as LogMark;
      return { log, head: upTo, trimmed: Math.min(trimmed, upTo), entries };
    });
    yield partOf({ logs });
  }
}

/** What a side that goes as far as `have` does not have of `marks`. Throws where it has more. */
export function rangesBetween(marks: readonly LogMark[], have: readonly LogMark[]): EntryRange[] {
  return marks.flatMap(({ log, head: upTo }, at) => {
    const { head: after } = have[at] as LogMark;
    if (after > upTo)
      throw new StoreError(
        "occupied",
        `The log ${log} has ${after} entries in the copy and ${upTo} here: the data directory is older than the copy. Begin again with an empty database.`,
      );
    return after < upTo ? [{ log, after, upTo }] : [];
  });
}

interface RangePage extends EntryRange {
  readonly entries: LogPart["entries"];
}

/** All pages of the ranges; `upTo` of a page is how far it goes. */
export async function* rangePages(
  source: Pick<CopySource, "entries">,
  ranges: readonly EntryRange[],
): AsyncGenerator<RangePage[]> {
  let left = ranges;
  while (left.length > 0) {
    const pages = await source.entries(left);
    yield left.flatMap(({ log, after }, at) => {
      const { upTo, entries } = pages[at] as { upTo: number; entries: LogPart["entries"] };
      return upTo > after ? [{ log, after, upTo, entries }] : [];
    });
    left = left.flatMap(({ log, upTo }, at) => {
      const { upTo: after } = pages[at] as { upTo: number };
      return after < upTo ? [{ log, after, upTo }] : [];
    });
  }
}

export function cursorParts(pages: AsyncIterable<readonly ReaderMark[]>): AsyncGenerator<Part> {
  const bytesOf = ({ log, reader }: ReaderMark): number => log.length + reader.length;
  return inParts(pages, bytesOf, (cursors) => partOf({ cursors }));
}

export function recordParts(pages: AsyncIterable<readonly StoredRecord[]>): AsyncGenerator<Part> {
  const bytesOf = ({ key, value }: StoredRecord): number => key.length + value.length;
  return inParts(pages, bytesOf, (records) => partOf({ records }));
}

/** Items of pages, whatever their size, in parts of a page's size. */
async function* inParts<T>(
  pages: AsyncIterable<readonly T[]>,
  bytesOf: (item: T) => number,
  toPart: (items: readonly T[]) => Part,
): AsyncGenerator<Part> {
  let items: T[] = [];
  let bytes = 0;
  for await (const page of pages) {
    for (const item of page) {
      items.push(item);
      bytes += itemBytes + bytesOf(item);
      if (bytes < pageBytesMax && items.length < pageItemsMax) continue;
      yield toPart(items);
      items = [];
      bytes = 0;
    }
  }
  if (items.length > 0) yield toPart(items);
}

/** Pages of logs, joined to pages of so many. */
export async function* inPages<T>(pages: AsyncIterable<readonly T[]>, count = 500): AsyncGenerator<T[]> {
  let items: T[] = [];
  for await (const page of pages) {
    for (const item of page) {
      items.push(item);
      if (items.length < count) continue;
      yield items;
      items = [];
    }
  }
  if (items.length > 0) yield items;
}

function partOf(part: Partial<Part>): Part {
  return { logs: [], cursors: [], records: [], ...part };
}
