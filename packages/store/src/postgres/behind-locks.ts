import type { Batch } from "@hongyan/core";
import { isLostRace } from "./errors.ts";
import { GroupPlan } from "./group-plan.ts";
import { RememberedLogs } from "./remembered-logs.ts";
import { settled } from "./settled.ts";
import type { Writer } from "./writer.ts";

/** Races that a transaction may lose before it counts as failed. */
export const racesMax = 1_000;

/** For those that trust nothing. */
export const noMemory = new RememberedLogs();

/** How a transaction over the connections of one or several servers is begun, looks, and writes. */
export interface LockingWork {
  readonly writers: readonly Writer[];
  /** `isFirst`: begins it as well, and ends with `SAVEPOINT looked` on each connection. */
  readonly look: (plan: GroupPlan, isFirst: boolean) => Promise<void>;
  readonly write: (plan: GroupPlan) => Promise<void>;
  readonly lostRace: () => void;
}

export const setSavepoint = "SAVEPOINT looked";

/**
 * Locks all that the batches touch, looks, and writes: what it has written is not committed yet. Undefined where another
 * node has deleted a record in between: it must begin anew.
 *
 * A race can be lost behind locks as well, to those who trust what they remember of a log and do not lock it. Then it
 * looks and writes again **with the locks kept**: whoever trusts locks after 15 commits, and waits. Who let go of its
 * locks would lose for ever against some that write without a pause.
 */
export async function writeBehindLocks(
  batches: readonly Batch[],
  { writers, look, write, lostRace }: LockingWork,
): Promise<GroupPlan | undefined> {
  for (let tries = 1; ; tries++) {
    const plan = new GroupPlan(batches, noMemory);
    await look(plan, tries === 1);
    if (plan.records.isMissing) return undefined;
    plan.decide();
    try {
      await write(plan);
      return plan;
    } catch (error) {
      if (!isLostRace(error) || tries === racesMax) throw error;
      await settled(writers.map(({ client }) => client.query("ROLLBACK TO SAVEPOINT looked")));
      lostRace();
    }
  }
}
