import type { Part } from "./items.ts";

/** How much was copied or compared. */
export interface Tally {
  logs: number;
  entries: number;
  cursors: number;
  records: number;
  /** Of bodies and values. */
  bytes: number;
}

export function newTally(): Tally {
  return { logs: 0, entries: 0, cursors: 0, records: 0, bytes: 0 };
}

export function count(tally: Tally, { logs, cursors, records }: Part): void {
  for (const { entries } of logs) {
    tally.logs++;
    tally.entries += entries.length;
    for (const { body } of entries) tally.bytes += body?.length ?? 0;
  }
  tally.cursors += cursors.length;
  tally.records += records.length;
  for (const { value } of records) tally.bytes += value?.length ?? 0;
}
