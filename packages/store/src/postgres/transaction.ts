import type { Batch, CommitOutcome } from "@hongyan/core";
import { byteaArray, int8Array, uuidArray } from "./binary-array.ts";
import { isLostRace } from "./errors.ts";
import { GroupPlan } from "./group-plan.ts";
import type { KnownLogs } from "./known-logs.ts";
import type { OrderedName } from "./ordered-name.ts";
import * as statements from "./statements.ts";
import type { Row, Writer } from "./writer.ts";

const triesMax = 20;

/**
 * Commits the batches in one transaction of two round trips: what is locked and found comes back, outcomes are decided
 * here, and what they write leaves with the COMMIT. Rejects when it is open whether the transaction took effect; one
 * that lost to another for sure is tried again from its beginning.
 */
export async function commitGroup(
  writer: Writer,
  batches: readonly Batch[],
  known: KnownLogs,
): Promise<CommitOutcome[]> {
  for (let tries = 1; ; tries++) {
    const plan = new GroupPlan(batches);
    try {
      if (await find(writer, plan, known)) {
        plan.decide();
        await write(writer, plan);
        known.add(plan.logs);
        known.add(plan.cursors.logs);
        return plan.outcomes;
      }
    } catch (error) {
      if (!isLostRace(error) || tries === triesMax) throw error;
    }
    if (tries === triesMax) throw new Error("Other nodes delete the same records again and again");
    await writer.rollBack();
  }
}

/** Locks what the group decides by, and reads it. False: a record was deleted by another node in between. */
async function find(writer: Writer, plan: GroupPlan, known: KnownLogs): Promise<boolean> {
  const { logs, keys, records } = plan;
  const begun = writer.begin();
  const written = records.names(true);
  const looked = records.names(false);
  const [, , heads, found, , locked, seen] = await Promise.all([
    begun,
    ensureLogs(writer, plan, known),
    logs.length > 0
      ? writer.run(statements.takeSeqs, [
          uuidArray(logs.map(({ id }) => id)),
          int8Array(logs.map(({ asked }) => asked)),
        ])
      : none,
    keys.length > 0
      ? writer.run(statements.findKeys, [
          uuidArray(keys.map(({ log }) => log.id)),
          uuidArray(keys.map(({ producer }) => producer)),
          int8Array(keys.map(({ number }) => number)),
        ])
      : none,
    written.length > 0 ? writer.run(statements.ensureRecords, nameArrays(written)) : none,
    written.length > 0 ? writer.run(statements.lockRecords, nameArrays(written).slice(0, 2)) : none,
    looked.length > 0 ? writer.run(statements.lookRecords, nameArrays(looked).slice(0, 2)) : none,
  ]);
  if (locked.length < written.length) return false;
  plan.loadLogs(heads);
  plan.loadKeys(found);
  records.load(true, locked);
  records.load(false, seen);
  return true;
}

async function ensureLogs(writer: Writer, plan: GroupPlan, known: KnownLogs): Promise<void> {
  // A log that has only cursors as well: no other place has its name.
  const unknown = [...plan.logs, ...plan.cursors.logs].filter((log) => !known.has(log));
  if (unknown.length === 0) return;
  await writer.run(statements.ensureLogs, [
    uuidArray(unknown.map(({ id }) => id)),
    byteaArray(unknown.map(({ name }) => Buffer.from(name))),
  ]);
}

async function write(writer: Writer, plan: GroupPlan): Promise<void> {
  const { entries, shortened, records, cursors, hasPuts } = plan;
  const work: Promise<unknown>[] = [];
  if (entries.length > 0)
    work.push(
      writer.run(statements.insertEntries, [
        uuidArray(entries.map(({ log }) => log.id)),
        int8Array(entries.map(({ seq }) => seq)),
        int8Array(entries.map(({ append }) => append.time)),
        uuidArray(entries.map(({ producer }) => producer)),
        int8Array(entries.map(({ append }) => append.number)),
        byteaArray(entries.map(({ append }) => append.body)),
      ]),
    );
  if (shortened.length > 0)
    work.push(
      writer.run(statements.setHeads, [
        uuidArray(shortened.map(({ id }) => id)),
        int8Array(shortened.map(({ head }) => head)),
      ]),
    );
  if (hasPuts) {
    const { changed, gone } = records;
    if (changed.length > 0)
      work.push(
        writer.run(statements.setRecords, [
          ...nameArrays(changed.map(({ name }) => name)).slice(0, 2),
          int8Array(changed.map(({ version }) => version)),
          byteaArray(changed.map(({ value }) => value)),
        ]),
      );
    if (gone.length > 0) work.push(writer.run(statements.deleteRecords, nameArrays(gone).slice(0, 2)));
  }
  const advanced = cursors.changed;
  if (advanced.length > 0)
    work.push(
      writer.run(statements.advanceCursors, [
        uuidArray(advanced.map(({ log }) => log)),
        ...nameArrays(advanced.map(({ reader }) => reader)),
        int8Array(advanced.map(({ position }) => position)),
      ]),
    );
  work.push(writer.commit());
  await Promise.all(work);
}

const none: Row[] = [];

/** Heads, digests and rests. */
function nameArrays(names: readonly OrderedName[]): Buffer[] {
  return [
    byteaArray(names.map(({ head }) => head)),
    byteaArray(names.map(({ digest }) => digest)),
    byteaArray(names.map(({ rest }) => rest)),
  ];
}
