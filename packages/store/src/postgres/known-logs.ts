import type { LogId } from "@hongyan/core";

const countMax = 100_000;

/** Logs that are known to have a row, which is never deleted: they need not be made before they are locked. */
export class KnownLogs {
  #recent = new Set<LogId>();
  /** What was recent before; forgotten when `recent` is full again. */
  #older = new Set<LogId>();

  has({ name }: { readonly name: LogId }): boolean {
    return this.#recent.has(name) || this.#older.has(name);
  }

  /** Call once they are committed. */
  add(logs: readonly { readonly name: LogId }[]): void {
    for (const { name } of logs) this.#recent.add(name);
    if (this.#recent.size < countMax) return;
    this.#older = this.#recent;
    this.#recent = new Set();
  }

  /** After a failover the database may be older than what was seen of it. */
  clear(): void {
    this.#recent.clear();
    this.#older.clear();
  }
}
