import type { Batch, CommitOutcome } from "@hongyan/core";
import { byteaArray, int8Array, uuidArray } from "./binary-array.ts";
import { isLostRace } from "./errors.ts";
import { GroupPlan } from "./group-plan.ts";
import type { LogPlan } from "./log-plan.ts";
import type { OrderedName } from "./ordered-name.ts";
import type { RememberedLog } from "./remembered-log.ts";
import { RememberedLogs } from "./remembered-logs.ts";
import * as statements from "./statements.ts";
import type { PostgresStatistics } from "./statistics.ts";
import type { Row, Statement, Writer } from "./writer.ts";

/** Others need no more than 16 commits to let a log go that they have for themselves: see RememberedLog. */
const triesMax = 100;

const nothing = new RememberedLogs();

/**
 * Commits the batches in one transaction. Where memory knows enough of all that is written to, everything leaves at
 * once with the COMMIT. Otherwise there is a round trip before: what is locked and found comes back, and outcomes are
 * decided here. Rejects when it is open whether the transaction took effect; one that lost to another for sure is
 * tried again from its beginning, without trust in memory.
 */
export async function commitGroup(
  writer: Writer,
  batches: readonly Batch[],
  memory: RememberedLogs,
  statistics: PostgresStatistics,
): Promise<CommitOutcome[]> {
  for (let tries = 1; ; tries++) {
    const plan = new GroupPlan(batches, tries === 1 ? memory : nothing);
    try {
      if (await carryOut(writer, plan, statistics)) {
        remember(plan, memory);
        return plan.outcomes;
      }
    } catch (error) {
      if (!isLostRace(error) || tries === triesMax) throw error;
    }
    if (tries === triesMax) throw new Error("Other nodes delete the same records again and again");
    statistics.lostRaces++;
    await writer.rollBack();
  }
}

/** False: a record was deleted by another node in between. */
async function carryOut(writer: Writer, plan: GroupPlan, statistics: PostgresStatistics): Promise<boolean> {
  const beganMs = performance.now();
  const begun = writer.begin();
  const looks = look(writer, plan);
  if (looks.length > 0) {
    await Promise.all([begun, ...looks]);
    statistics.looks++;
    statistics.lookSeconds += (performance.now() - beganMs) / 1000;
    if (plan.records.isMissing) return false;
  }
  plan.decide();
  const decidedMs = performance.now();
  await Promise.all([begun, ...write(writer, plan), writer.commit()]);
  statistics.writeSeconds += (performance.now() - decidedMs) / 1000;
  return true;
}

/** Locks what the group decides by, and reads it, where memory does not know it. */
function look(writer: Writer, plan: GroupPlan): Promise<void>[] {
  const { unknown, locked, keys, records } = plan;
  const work: Promise<void>[] = [];
  const ask = (statement: Statement, values: Buffer[], load: (rows: Row[]) => void = ignore) => {
    work.push(writer.run(statement, values).then(load));
  };
  if (unknown.length > 0)
    ask(statements.ensureLogs, [
      uuidArray(unknown.map(({ id }) => id)),
      byteaArray(unknown.map(({ name }) => Buffer.from(name))),
    ]);
  if (locked.length > 0) {
    const ids = uuidArray(locked.map(({ id }) => id));
    ask(statements.lockLogs, [ids]);
    ask(statements.readHeads, [ids], (rows) => plan.loadLogs(rows));
  }
  if (keys.length > 0)
    ask(
      statements.findKeys,
      [
        uuidArray(keys.map(({ log }) => log.id)),
        uuidArray(keys.map(({ producer }) => producer.digest)),
        int8Array(keys.map(({ number }) => number)),
      ],
      (rows) => plan.loadKeys(rows),
    );
  const written = records.names(true);
  if (written.length > 0) {
    ask(statements.ensureRecords, nameArrays(written));
    ask(statements.lockRecords, nameArrays(written).slice(0, 2), (rows) => records.load(true, rows));
  }
  const looked = records.names(false);
  if (looked.length > 0)
    ask(statements.lookRecords, nameArrays(looked).slice(0, 2), (rows) => records.load(false, rows));
  return work;
}

function write(writer: Writer, plan: GroupPlan): Promise<unknown>[] {
  const { entries, records, cursors, hasPuts } = plan;
  const work: Promise<unknown>[] = [];
  if (entries.length > 0)
    work.push(
      writer.run(statements.insertEntries, [
        uuidArray(entries.map(({ log }) => log.id)),
        int8Array(entries.map(({ seq }) => seq)),
        int8Array(entries.map(({ append }) => append.time)),
        uuidArray(entries.map(({ producer }) => producer?.digest)),
        int8Array(entries.map(({ append }) => append.number)),
        byteaArray(entries.map(({ append }) => append.body)),
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
  return work;
}

/** What was committed, or found, is what this node knows of the logs from now on. */
function remember({ logs, keys, entries, cursors }: GroupPlan, memory: RememberedLogs): void {
  for (const { name } of cursors.logs) memory.addRow(name);
  const known = new Map<LogPlan, RememberedLog>();
  for (const log of logs) known.set(log, memory.committed(log));
  for (const { log, producer, number, stored } of keys)
    if (stored !== undefined) known.get(log)?.stored(producer, number);
  for (const { log, append, producer } of entries)
    if (producer !== undefined) known.get(log)?.stored(producer, append.number);
}

function ignore(): void {}

/** Heads, digests and rests. */
function nameArrays(names: readonly OrderedName[]): Buffer[] {
  return [
    byteaArray(names.map(({ head }) => head)),
    byteaArray(names.map(({ digest }) => digest)),
    byteaArray(names.map(({ rest }) => rest)),
  ];
}
