import type { Batch, CommitOutcome } from "@hongyan/core";
import { isFenced, isLostRace, RolledBack } from "./errors.ts";
import { GroupPlan } from "./group-plan.ts";
import type { LogPlan } from "./log-plan.ts";
import { lookAtLogs, lookAtRecords } from "./look.ts";
import type { RecordPlan } from "./record-plan.ts";
import type { RememberedLog } from "./remembered-log.ts";
import { RememberedLogs } from "./remembered-logs.ts";
import { settled } from "./settled.ts";
import type { PostgresStatistics } from "./statistics.ts";
import { writeCursors, writeEntries, writeRecords } from "./write.ts";
import type { Writer } from "./writer.ts";

/** Others need no more than 16 commits to let a log go that they have for themselves: see RememberedLog. */
export const triesMax = 100;

/** For those that trust nothing. */
export const noMemory = new RememberedLogs();

/** A server among others, in a transaction. */
export interface Site {
  /** Sent right after BEGIN: nothing of the transaction takes effect where the server's placement is another one by now. */
  readonly fence: (writer: Writer) => Promise<unknown>;
  /** Where records are elsewhere: looks at those that must not be there, and are not written. */
  readonly lookAway?: ((records: RecordPlan) => Promise<void>) | undefined;
}

/**
 * Commits the batches in one transaction. Where memory knows enough of all that is written to, everything leaves at
 * once with the COMMIT. Otherwise there is a round trip before: what is locked and found comes back, and outcomes are
 * decided here. Rejects when it is open whether the transaction took effect; one that lost to another for sure is
 * tried again from its beginning, without trust in memory. Rejects with `RolledBack` where the fence of `site` held it
 * off.
 */
export async function commitGroup(
  writer: Writer,
  batches: readonly Batch[],
  memory: RememberedLogs,
  statistics: PostgresStatistics,
  site?: Site,
): Promise<CommitOutcome[]> {
  for (let tries = 1; ; tries++) {
    const plan = new GroupPlan(batches, tries === 1 ? memory : noMemory);
    try {
      if (await carryOut(writer, plan, statistics, site)) {
        remember(plan, memory);
        return plan.outcomes;
      }
    } catch (error) {
      if (isFenced(error)) {
        await writer.rollBack();
        throw new RolledBack("Buckets have moved");
      }
      if (!isLostRace(error) || tries === triesMax) throw error;
    }
    if (tries === triesMax) throw new Error("Other nodes delete the same records again and again");
    statistics.lostRaces++;
    await writer.rollBack();
  }
}

/** False: a record was deleted by another node in between. */
async function carryOut(
  writer: Writer,
  plan: GroupPlan,
  statistics: PostgresStatistics,
  site: Site | undefined,
): Promise<boolean> {
  const beganMs = performance.now();
  const begun = [writer.begin(), ...(site === undefined ? [] : [site.fence(writer)])];
  const isAway = site?.lookAway !== undefined && plan.hasPuts;
  const looks = [...lookAtLogs(writer, plan), ...(isAway ? [] : lookAtRecords(writer, plan.records))];
  if (looks.length > 0 || isAway) {
    await settled<unknown>([...begun, ...looks]);
    // The heads are known by now. Who makes such a record writes to the same log, where nobody sees it before the record
    // can be seen: what we do not find here comes after those heads, and takes the seq that would be ours.
    if (isAway) await site.lookAway?.(plan.records);
    statistics.looks++;
    statistics.lookSeconds += (performance.now() - beganMs) / 1000;
    if (plan.records.isMissing) return false;
  }
  plan.decide();
  const decidedMs = performance.now();
  await settled([...begun, ...write(writer, plan, isAway), writer.commit()]);
  statistics.writeSeconds += (performance.now() - decidedMs) / 1000;
  return true;
}

function write(writer: Writer, plan: GroupPlan, isAway: boolean): Promise<unknown>[] {
  return [
    ...writeEntries(writer, plan.entries),
    ...(plan.hasPuts && !isAway ? writeRecords(writer, plan.records) : []),
    ...writeCursors(writer, plan.cursors.changed),
  ];
}

/** What was committed, or found, is what this node knows of the logs from now on. */
export function remember(
  { logs, keys, entries, cursors }: GroupPlan,
  memory: Pick<RememberedLogs, "addRow" | "committed">,
): void {
  for (const { name } of cursors.logs) memory.addRow(name);
  const known = new Map<LogPlan, RememberedLog>();
  for (const log of logs) known.set(log, memory.committed(log));
  for (const { log, producer, number, stored } of keys)
    if (stored !== undefined) known.get(log)?.stored(producer, number);
  for (const { log, append, producer } of entries)
    if (producer !== undefined) known.get(log)?.stored(producer, append.number);
}
