import type { LogId } from "@hongyan/core";
import type { LogPlan } from "./log-plan.ts";
import { RememberedLog } from "./remembered-log.ts";

/** Up to twice as many are kept, of half a kilobyte each where they were written to. */
const countMax = 100_000;

/**
 * The logs that were written to lately; forgotten by the half. Belongs to one life of the connections: after a
 * failover the database may be older than what was seen of it, and a head that is too high would leave a hole (G3).
 */
export class RememberedLogs {
  #recent = new Map<LogId, RememberedLog>();
  #older = new Map<LogId, RememberedLog>();
  /** Others that have a row. */
  #recentRows = new Set<LogId>();
  #olderRows = new Set<LogId>();

  hasRow(name: LogId): boolean {
    return this.get(name) !== undefined || this.#recentRows.has(name) || this.#olderRows.has(name);
  }

  /** Call once it is committed. */
  addRow(name: LogId): void {
    if (this.hasRow(name)) return;
    this.#recentRows.add(name);
    if (this.#recentRows.size < countMax) return;
    this.#olderRows = this.#recentRows;
    this.#recentRows = new Set();
  }

  get(name: LogId): RememberedLog | undefined {
    const recent = this.#recent.get(name);
    if (recent !== undefined) return recent;
    const older = this.#older.get(name);
    if (older !== undefined) this.#add(name, older);
    return older;
  }

  /** Call once it is committed. */
  committed({ name, id, isLocked, found, head }: LogPlan): RememberedLog {
    const known = this.get(name);
    if (known === undefined) {
      const log = new RememberedLog(id, head);
      this.#add(name, log);
      return log;
    }
    if (isLocked) known.seen(found, head);
    else known.confirmed(head);
    return known;
  }

  #add(name: LogId, log: RememberedLog): void {
    this.#recent.set(name, log);
    if (this.#recent.size < countMax) return;
    this.#older = this.#recent;
    this.#recent = new Map();
  }
}
