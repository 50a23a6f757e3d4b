import type { LogId } from "@hongyan/core";
import { StoreError } from "../store-error.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import type { Caches } from "./caches.ts";
import type { KeyValue } from "./key-value.ts";
import { trimmedKey } from "./keys.ts";
import { blockWith, type PageRead } from "./log-reader.ts";
import { headsOf } from "./lookups.ts";

/** Where a page was read. */
export interface PlaceRead {
  readonly keyValue: KeyValue;
  readonly caches: Caches;
  readonly log: LogId;
}

/** Seqs that should be there, `from` to `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * A log is contiguous from what was trimmed up to its head. Where entries are missing between, the disk has lost them:
 * of a damaged file LevelDB skips what it cannot read. A reader that is given the rest takes the hole for the log and
 * moves its cursor over it (G1, G4), so the read is rejected as `damaged`.
 *
 * A page that is whole costs a comparison per entry, which does not show beside its read (about 100 µs); one that ends
 * with its log also the head, which is one more read where memory has none (about 20 µs). Only for a page that is not
 * whole, the disk is asked whether a trim or a commit meanwhile explains it.
 */
export async function checkAfter(place: PlaceRead, page: PageRead, after: number): Promise<void> {
  let next = Math.max(after, 0) + 1;
  for (const { seq } of page.entries) {
    if (seq !== next) await check(place, { from: next, to: seq - 1 });
    next = seq + 1;
  }
  if (page.isFull) return;
  const head = await headOf(place);
  if (next <= head) await check(place, { from: next, to: head });
}

/** The same for a page that was read downwards. */
export async function checkBefore(place: PlaceRead, page: PageRead, before: number): Promise<void> {
  const { entries, isFull } = page;
  let next = before - 1;
  if (entries[0]?.seq !== next) next = Math.min(next, await headOf(place));
  for (const { seq } of entries) {
    if (seq < next) await check(place, { from: seq + 1, to: next });
    next = seq - 1;
  }
  if (!isFull && next >= 1) await check(place, { from: 1, to: next });
}

async function headOf({ keyValue, caches, log }: PlaceRead): Promise<number> {
  const [head = 0] = await headsOf(keyValue, caches, [log]);
  return head;
}

/** Rejects unless the range was trimmed, or was committed after the page was read. */
async function check({ keyValue, log }: PlaceRead, { from, to }: Range): Promise<void> {
  const first = Math.max(from, (await trimmedOf(keyValue, log)) + 1);
  if (first > to || (await blockWith(keyValue, log, first)) !== undefined) return;
  const seqs = first === to ? `its entry ${first}` : `its entries ${first} to ${to}`;
  throw new StoreError("damaged", `The log ${log} has lost ${seqs}`);
}

/** The highest seq that was trimmed. */
export async function trimmedOf(keyValue: KeyValue, log: LogId): Promise<number> {
  const [stored] = await keyValue.getMany([trimmedKey(log)]);
  return stored === undefined ? 0 : new ByteReader(stored).varint();
}

export function encodeTrimmed(seq: number): Buffer {
  const writer = new ByteWriter();
  writer.varint(seq);
  return writer.take();
}
