/** The data of this process on their way from the embedded store into PostgreSQL. */
import type { Journal, Store } from "@hongyan/core";
import type { MovableStore } from "@hongyan/store/copy";
import type { EmbeddedStore } from "@hongyan/store/embedded";
import type { MigrationProgress, MigrationRequest, MigrationResult } from "./request.ts";

export interface MigrationOptions {
  /** What is used; over `from`. */
  readonly store: MovableStore;
  readonly from: EmbeddedStore;
  readonly journal: Journal;
  /** Opens PostgreSQL as the store of this process; `opensCopy` also where the copy is not complete. */
  readonly open: (url: string) => Promise<Store>;
  /** From now on others may use the data as well. */
  readonly shared: () => void;
}

/** One at a time. */
export class Migration {
  readonly #options: MigrationOptions;
  readonly #closing = new AbortController();
  #underWay: Promise<unknown> | undefined;

  constructor(options: MigrationOptions) {
    this.#options = options;
  }

  /** When `signal` aborts, it is given up, unless the data are in PostgreSQL already. Rejects with what to tell people. */
  async run(
    request: MigrationRequest,
    report: (progress: MigrationProgress) => void,
    signal: AbortSignal,
  ): Promise<MigrationResult> {
    if (this.#underWay !== undefined)
      throw new Error("a migration is under way already; the log of the server says how far");
    const work = this.#run(request, report, AbortSignal.any([signal, this.#closing.signal]));
    this.#underWay = work.catch(() => undefined);
    try {
      return await work;
    } finally {
      this.#underWay = undefined;
    }
  }

  async #run(
    { mode, url }: MigrationRequest,
    report: (progress: MigrationProgress) => void,
    signal: AbortSignal,
  ): Promise<MigrationResult> {
    const { compareMoved, finishMove, survey } = await import("@hongyan/store/copy");
    const { from } = this.#options;
    if (mode === "verify")
      return {
        kind: "same",
        compared: await compareMoved(from, url, signal, (done) =>
          report({ phase: "compare", done, entries: 0 }),
        ),
      };
    if (from.movedTo !== undefined) {
      await finishMove(url, from.epoch);
      return { kind: "finished", place: from.movedTo };
    }
    if (mode === "dry run") {
      const { isBegun, ...found } = await survey(from, url);
      return { kind: "surveyed", found, isBegun };
    }
    return { kind: "moved", ...(await this.#move(url, report, signal)) };
  }

  async #move(url: string, report: (progress: MigrationProgress) => void, signal: AbortSignal) {
    const { move } = await import("@hongyan/store/copy");
    const { store, from, journal, open, shared } = this.#options;
    let phase: string | undefined;
    try {
      const moved = await move({
        store,
        from,
        url,
        open: () => open(url),
        shared,
        signal,
        closing: this.#closing.signal,
        report: (progress) => {
          report(progress);
          if (progress.phase === phase) return;
          phase = progress.phase;
          journal.info(`migrate.${phase}`, { ...progress.done, toBeCopied: progress.entries });
        },
      });
      journal.info("migrate.done", { place: moved.place, stopMs: Math.round(moved.stopMs) });
      return moved;
    } catch (error) {
      journal.warn("migrate.failed", { error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  /** What is under way is given up. Resolves when nothing is any more. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the server stops"));
    await this.#underWay;
  }
}
