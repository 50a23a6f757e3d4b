import type { Entry, LogId, PageLimit } from "@hongyan/core";
import { Page } from "@hongyan/core/memory";
import { decodeBlock } from "./block.ts";
import type { KeyValue, Pair, ScanRange } from "./key-value.ts";
import { entriesEnd, entriesKey, entriesPrefix, seqOf } from "./keys.ts";

/** A reader who was away wants many at once: each page is a wait of its own. */
const firstBlocks = 256;

export interface PageRead {
  readonly entries: Entry[];
  /** The limit ended the page; otherwise the log did. */
  readonly isFull: boolean;
}

/** Entries with `seq > after`, ascending: one seek to the block that has `after + 1`, then block after block. */
export async function readAfter(
  keyValue: KeyValue,
  log: LogId,
  after: number,
  limit: PageLimit,
): Promise<PageRead> {
  const page = new Page(limit);
  let isFull = false;
  const prefix = entriesPrefix(log);
  const range = {
    gte: entriesKey(prefix, toSeq(after + 1)),
    lt: entriesEnd(prefix),
    limit: blocksFor(limit),
    first: firstBlocks,
  };
  await eachBlock(keyValue, range, (block) => {
    for (const entry of block) {
      if (entry.seq <= after || page.take(entry)) continue;
      isFull = true;
      return false;
    }
    return true;
  });
  return { entries: page.entries, isFull };
}

/** Entries with `seq < before`, descending. The block that has `before - 1` may end above it: it is read apart. */
export async function readBefore(
  keyValue: KeyValue,
  log: LogId,
  before: number,
  limit: PageLimit,
): Promise<PageRead> {
  const page = new Page(limit);
  let isFull = false;
  if (before <= 1) return { entries: page.entries, isFull };
  const prefix = entriesPrefix(log);
  const top = entriesKey(prefix, toSeq(before - 1));
  const above = { gte: top, lt: entriesEnd(prefix), limit: 1 };
  const below = {
    gte: entriesKey(prefix, 0),
    lt: top,
    reverse: true,
    limit: blocksFor(limit),
    first: firstBlocks,
  };
  const take = (block: Entry[]): boolean => {
    for (let i = block.length - 1; i >= 0; i--) {
      const entry = block[i] as Entry;
      if (entry.seq >= before || page.take(entry)) continue;
      isFull = true;
      return false;
    }
    return true;
  };
  await eachBlock(keyValue, above, (block) => {
    take(block);
    return false;
  });
  if (!isFull) await eachBlock(keyValue, below, take);
  return { entries: page.entries, isFull };
}

/** The block that has `seq`, or undefined where it was trimmed. */
export async function blockWith(keyValue: KeyValue, log: LogId, seq: number): Promise<Entry[] | undefined> {
  const prefix = entriesPrefix(log);
  let found: Entry[] | undefined;
  await eachBlock(keyValue, { gte: entriesKey(prefix, seq), lt: entriesEnd(prefix), limit: 1 }, (block) => {
    found = block;
    return false;
  });
  return found !== undefined && (found[0]?.seq ?? 0) <= seq ? found : undefined;
}

/** Calls `take` with block after block until it answers false. */
async function eachBlock(
  keyValue: KeyValue,
  range: ScanRange,
  take: (block: Entry[]) => boolean,
): Promise<void> {
  const scan = keyValue.scan(range);
  try {
    let pairs: readonly Pair[];
    do {
      pairs = await scan.next();
      for (const [key, value] of pairs) if (!take(decodeBlock(seqOf(key), value))) return;
    } while (pairs.length > 0);
  } finally {
    await scan.close();
  }
}

/** A block has at least one entry that counts, but for the first, which may end below the range. */
function blocksFor({ count }: PageLimit): number {
  return Math.min(Math.max(count, 1), 1_000_000) + 1;
}

function toSeq(seq: number): number {
  return Math.min(Math.max(seq, 0), Number.MAX_SAFE_INTEGER);
}
