import type { AppendOutcome, Batch, CommitOutcome, LogId, Put } from "@hongyan/core";
import { CursorPlan } from "./cursor-plan.ts";
import { LogPlan, type PlannedEntry } from "./log-plan.ts";
import type { NameDigest } from "./name-digest.ts";
import { RecordPlan } from "./record-plan.ts";
import type { RememberedLogs } from "./remembered-logs.ts";

/**
 * A deletion of what is not there says only that appends land where there is no such record. It writes nothing, and
 * needs no lock of its own: who makes the record writes to the same log, and takes the seq that is ours. A group message
 * would otherwise cost a row that is made and taken away again.
 */
export function isLook({ value, expect }: Put): boolean {
  return value === undefined && expect === 0;
}

/**
 * A group of batches that is committed by one transaction: what it must lock and look for, and then, from what was
 * found, the outcome of each put and append, batch after batch.
 */
export class GroupPlan {
  readonly outcomes: CommitOutcome[] = [];
  readonly logs: LogPlan[] = [];
  /** Entries whose keys must be looked for. */
  readonly keys: PlannedEntry[] = [];
  /** Those that are stored, once it is decided. */
  readonly entries: PlannedEntry[] = [];
  readonly records = new RecordPlan();
  readonly cursors = new CursorPlan();
  readonly hasPuts: boolean;
  readonly #batches: readonly Batch[];
  /** Of each append, batch after batch. */
  readonly #planned: PlannedEntry[] = [];
  readonly #logs = new Map<LogId, LogPlan>();
  readonly #memory: RememberedLogs;

  constructor(batches: readonly Batch[], memory: RememberedLogs) {
    this.#batches = batches;
    this.#memory = memory;
    for (const { appends, advances, puts } of batches) {
      for (const append of appends) this.#planned.push(this.#logOf(append.log).plan(append, this.keys));
      for (const advance of advances) this.cursors.advance(advance);
      const guards = new Set(puts.map(({ guard }) => guard));
      puts.forEach((put, at) => {
        this.records.expect(put.key, !isLook(put) || guards.has(at));
        // Decides by the head, where nothing need be inserted that would show it to be wrong.
        if (put.head !== undefined) this.#logOf(put.head.log).isLocked = true;
      });
    }
    this.hasPuts = batches.some(({ puts }) => puts.length > 0);
  }

  get locked(): LogPlan[] {
    return this.logs.filter(({ isLocked }) => isLocked);
  }

  /** Logs that may have no row. One that has only cursors needs it as well: no other place has its name. */
  get unknown(): { readonly name: LogId; readonly id: NameDigest | Buffer }[] {
    const written = this.logs.filter(({ memory }) => memory === undefined);
    const moved = this.cursors.logs.filter(({ name }) => !this.#logs.has(name) && !this.#memory.hasRow(name));
    return [...written, ...moved];
  }

  decide(): void {
    const headOf = (log: LogId): number => (this.#logs.get(log) as LogPlan).head;
    let at = 0;
    for (const batch of this.#batches) {
      const puts: (number | undefined)[] = [];
      for (const put of batch.puts) puts.push(this.records.put(put, puts, headOf));
      const appends: AppendOutcome[] = [];
      for (const append of batch.appends) {
        const planned = this.#planned[at++] as PlannedEntry;
        if (append.guard !== undefined && puts[append.guard] === undefined) {
          appends.push({ status: "refused", seq: 0, time: 0 });
          continue;
        }
        appends.push(planned.log.append(planned, append, this.entries));
      }
      this.outcomes.push({ appends, puts });
    }
    // In one order, so that transactions that come to the same seqs do not wait in a circle; and a partition, and a
    // page of its index, after the other.
    this.entries.sort((a, b) => a.log.order - b.log.order);
  }

  #logOf(name: LogId): LogPlan {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = new LogPlan(name, this.#memory.get(name));
      this.#logs.set(name, log);
      this.logs.push(log);
    }
    return log;
  }
}
