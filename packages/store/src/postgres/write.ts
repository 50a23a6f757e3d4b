/** What a transaction writes once it is decided. Everything leaves at once. */
import { byteaArray, int8Array, uuidArray } from "./binary-array.ts";
import type { PlannedCursor } from "./cursor-plan.ts";
import type { PlannedEntry } from "./log-plan.ts";
import { nameArrays } from "./ordered-name.ts";
import type { RecordPlan } from "./record-plan.ts";
import * as statements from "./statements.ts";
import type { Writer } from "./writer.ts";

export function writeEntries(writer: Writer, entries: readonly PlannedEntry[]): Promise<unknown>[] {
  if (entries.length === 0) return [];
  return [
    writer.run(statements.insertEntries, [
      uuidArray(entries.map(({ log }) => log.id)),
      int8Array(entries.map(({ seq }) => seq)),
      int8Array(entries.map(({ append }) => append.time)),
      uuidArray(entries.map(({ producer }) => producer?.digest)),
      int8Array(entries.map(({ append }) => append.number)),
      byteaArray(entries.map(({ append }) => append.body)),
    ]),
  ];
}

export function writeRecords(writer: Writer, { changed, gone }: RecordPlan): Promise<unknown>[] {
  const work: Promise<unknown>[] = [];
  if (changed.length > 0)
    work.push(
      writer.run(statements.setRecords, [
        ...nameArrays(changed.map(({ name }) => name)).slice(0, 2),
        int8Array(changed.map(({ version }) => version)),
        byteaArray(changed.map(({ value }) => value)),
      ]),
    );
  if (gone.length > 0) work.push(writer.run(statements.deleteRecords, nameArrays(gone).slice(0, 2)));
  return work;
}

export function writeCursors(writer: Writer, advanced: readonly PlannedCursor[]): Promise<unknown>[] {
  if (advanced.length === 0) return [];
  return [
    writer.run(statements.advanceCursors, [
      uuidArray(advanced.map(({ log }) => log)),
      ...nameArrays(advanced.map(({ reader }) => reader)),
      int8Array(advanced.map(({ position }) => position)),
    ]),
  ];
}
