import type { Batch, CommitOutcome } from "@hongyan/core";
import { setSavepoint, writeBehindLocks } from "./behind-locks.ts";
import { isFenced, isLostRace, RolledBack } from "./errors.ts";
import { GroupPlan } from "./group-plan.ts";
import { lookAtLogs, lookAtRecords } from "./look.ts";
import type { RecordPlan } from "./record-plan.ts";
import type { RememberedLogs } from "./remembered-logs.ts";
import { settled } from "./settled.ts";
import type { PostgresStatistics } from "./statistics.ts";
import { writeCursors, writeEntries, writeRecords } from "./write.ts";
import type { Writer } from "./writer.ts";

/** How often a transaction is begun anew before it counts as failed. */
export const triesMax = 100;

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
 * tried again from its beginning, without trust in memory and behind locks that it keeps. Rejects with `RolledBack`
 * where the fence of `site` held it off.
 */
export async function commitGroup(
  writer: Writer,
  batches: readonly Batch[],
  memory: RememberedLogs,
  statistics: PostgresStatistics,
  site?: Site,
): Promise<CommitOutcome[]> {
  const transaction = new Transaction(writer, statistics, site);
  for (let tries = 1; tries <= triesMax; tries++) {
    try {
      const plan = tries === 1 ? await transaction.trust(batches, memory) : await transaction.insist(batches);
      if (plan !== undefined) {
        remember(plan, memory);
        return plan.outcomes;
      }
    } catch (error) {
      if (isFenced(error)) {
        await writer.rollBack();
        throw new RolledBack("Buckets have moved");
      }
      if (!isLostRace(error)) throw error;
    }
    statistics.lostRaces++;
    await writer.rollBack();
  }
  throw new Error("Other nodes were faster again and again");
}

/** On one connection. What its methods answer was committed; undefined: another node has deleted a record in between. */
class Transaction {
  readonly #writer: Writer;
  readonly #statistics: PostgresStatistics;
  readonly #site: Site | undefined;

  constructor(writer: Writer, statistics: PostgresStatistics, site: Site | undefined) {
    this.#writer = writer;
    this.#statistics = statistics;
    this.#site = site;
  }

  /** Believes what memory knows. */
  async trust(batches: readonly Batch[], memory: RememberedLogs): Promise<GroupPlan | undefined> {
    const plan = new GroupPlan(batches, memory);
    const begun = this.#begin();
    const looks = this.#looks(plan);
    if (looks.length > 0 || this.#isAway(plan)) {
      await this.#look(plan, [...begun, ...looks]);
      if (plan.records.isMissing) return undefined;
    }
    plan.decide();
    await this.#timed([...begun, ...this.#writes(plan), this.#writer.commit()]);
    return plan;
  }

  /** Believes nothing, and keeps its locks until it has won. */
  async insist(batches: readonly Batch[]): Promise<GroupPlan | undefined> {
    const plan = await writeBehindLocks(batches, {
      writers: [this.#writer],
      look: (plan, isFirst) =>
        this.#look(
          plan,
          isFirst
            ? [...this.#begin(), ...this.#looks(plan), this.#writer.client.query(setSavepoint)]
            : this.#looks(plan),
        ),
      write: (plan) => this.#timed(this.#writes(plan)),
      lostRace: () => this.#statistics.lostRaces++,
    });
    if (plan !== undefined) await this.#timed([this.#writer.commit()]);
    return plan;
  }

  #begin(): Promise<unknown>[] {
    const begun = this.#writer.begin();
    return this.#site === undefined ? [begun] : [begun, this.#site.fence(this.#writer)];
  }

  #looks(plan: GroupPlan): Promise<unknown>[] {
    return [
      ...lookAtLogs(this.#writer, plan),
      ...(this.#isAway(plan) ? [] : lookAtRecords(this.#writer, plan.records)),
    ];
  }

  async #look(plan: GroupPlan, work: readonly Promise<unknown>[]): Promise<void> {
    const beganMs = performance.now();
    await settled(work);
    // The heads are known by now. Who makes such a record writes to the same log, where nobody sees it before the record
    // can be seen: what we do not find here comes after those heads, and takes the seq that would be ours.
    if (this.#isAway(plan)) await this.#site?.lookAway?.(plan.records);
    this.#statistics.looks++;
    this.#statistics.lookSeconds += (performance.now() - beganMs) / 1000;
  }

  #writes(plan: GroupPlan): Promise<unknown>[] {
    return [
      ...writeEntries(this.#writer, plan.entries),
      ...(plan.hasPuts && !this.#isAway(plan) ? writeRecords(this.#writer, plan.records) : []),
      ...writeCursors(this.#writer, plan.cursors.changed),
    ];
  }

  async #timed(writes: readonly Promise<unknown>[]): Promise<void> {
    const beganMs = performance.now();
    await settled(writes);
    this.#statistics.writeSeconds += (performance.now() - beganMs) / 1000;
  }

  #isAway({ hasPuts }: GroupPlan): boolean {
    return hasPuts && this.#site?.lookAway !== undefined;
  }
}

/** What was committed, or found, is what this node knows of the logs from now on. */
export function remember(
  { logs, keys, entries, cursors }: GroupPlan,
  memory: Pick<RememberedLogs, "addRow" | "committed">,
): void {
  for (const { name } of cursors.logs) memory.addRow(name);
  for (const log of logs) log.memory = memory.committed(log);
  for (const { log, append, producer, stored } of keys)
    if (stored !== undefined && producer !== undefined) log.memory?.stored(producer, append.number);
  for (const { log, append, producer } of entries)
    if (producer !== undefined) log.memory?.stored(producer, append.number);
}
