/** From the embedded store into PostgreSQL, while the embedded one is used. */
import { setTimeout as delay } from "node:timers/promises";
import type { Store } from "@hongyan/core";
import type { EmbeddedStore } from "../embedded/embedded-store.ts";
import { PostgresCopy } from "../postgres/postgres-copy.ts";
import { StoreError } from "../store-error.ts";
import type { Changes } from "./changes.ts";
import { Comparison } from "./comparison.ts";
import { Copier } from "./copier.ts";
import { inTime } from "./in-time.ts";
import type { MovableStore } from "./movable-store.ts";
import type { Tally } from "./tally.ts";

/** `copy` all, `compare` all, `stop` writes for the rest, `moved`. */
export type MovePhase = "copy" | "compare" | "stop" | "moved";

export interface MoveProgress {
  readonly phase: MovePhase;
  readonly done: Readonly<Tally>;
  /** Entries that were to be copied when it began; more may have come. */
  readonly entries: number;
}

export interface MoveOptions {
  /** What is used; over `from`. */
  readonly store: MovableStore;
  readonly from: EmbeddedStore;
  /** Of PostgreSQL. */
  readonly url: string;
  /** Opens the copy, which is not complete yet. It is asked for before writes are stopped. */
  readonly open: () => Promise<Store>;
  /** From now on others may use the data as well. */
  readonly shared: () => void;
  readonly report: (progress: MoveProgress) => void;
  /** Gives up, as long as the source has no mark: writes go on there. */
  readonly signal: AbortSignal;
  /** The process ends: nobody waits any more, whatever is done. */
  readonly closing: AbortSignal;
}

export interface Moved {
  /** What was copied this time. */
  readonly copied: Readonly<Tally>;
  readonly compared: Readonly<Tally>;
  /** How long writes waited. */
  readonly stopMs: number;
  readonly place: string;
}

/** So little is left that writes may be stopped for it. */
const restMax = 2_000;
/** With so many rounds, each over what was touched during the last one, it must have become so little. */
const roundsMax = 50;
/** Nobody waits for longer: then writes go on as before. */
const stopMsMax = 10_000;
const retryMs = 500;

/**
 * 1. Copies everything, notes what is touched meanwhile, and copies that again until little is left.
 * 2. Compares everything, item by item, with the source; what is touched meanwhile is copied and compared again.
 * 3. Lets writes wait, copies and compares the rest.
 * 4. Marks the source: from here on there is no way back, and whoever opens it is told where the data are.
 * 5. Finishes the copy: from here on servers take it. Those who wait go on there.
 *
 * Killed before 4, the source is in service and the copy is not; the next run goes on with it. Killed between 4 and 5,
 * neither is, until `finishMove`. At no moment both are.
 */
export async function move(options: MoveOptions): Promise<Moved> {
  const { store, from, url } = options;
  const signal = AbortSignal.any([options.signal, options.closing]);
  const changes = await store.watch();
  try {
    const copy = await PostgresCopy.begin(url, from.epoch);
    try {
      return await new Move({ ...options, signal }, copy, changes).run();
    } finally {
      await copy.close();
    }
  } catch (error) {
    // A store that has the mark, or may have it, has refused those who wait.
    store.unwatch();
    signal.throwIfAborted();
    throw error;
  }
}

/** What is left to be done where the source has its mark already. */
export async function finishMove(url: string, epoch: string): Promise<void> {
  const state = await PostgresCopy.look(url, epoch);
  if (state === "empty")
    throw new StoreError("unsuitable", "The data were moved, and this is not the database that has them");
  await PostgresCopy.finish(url, epoch);
}

class Move {
  readonly #options: MoveOptions;
  readonly #copy: PostgresCopy;
  readonly #changes: Changes;
  readonly #copier: Copier;
  readonly #comparison: Comparison;
  #entries = 0;

  constructor(options: MoveOptions, copy: PostgresCopy, changes: Changes) {
    const { store, from, signal } = options;
    const source = from.copySource;
    this.#options = options;
    this.#copy = copy;
    this.#changes = changes;
    this.#copier = new Copier(source, copy, signal);
    this.#comparison = new Comparison({
      source,
      target: copy.source,
      signal,
      live: { changes, settle: () => store.settle() },
    });
  }

  async run(): Promise<Moved> {
    const { open, signal } = this.#options;
    this.#entries = await this.#copier.missing();
    await this.#reporting("copy", this.#copier.tally, async () => {
      await this.#copier.all();
      await this.#follow("copied");
    });
    await this.#reporting("compare", this.#comparison.tally, async () => {
      await this.#comparison.all();
      await this.#follow("compared as well");
    });
    const target = await open();
    try {
      const stopMs = await this.#stop(target);
      return {
        copied: this.#copier.tally,
        compared: this.#comparison.tally,
        stopMs,
        place: this.#copy.place,
      };
    } catch (error) {
      await target.close();
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Copies what was touched, until so little is touched meanwhile that writes can be stopped for it. */
  async #follow(extent: "copied" | "compared as well"): Promise<void> {
    for (let rounds = 0; rounds < roundsMax; rounds++) {
      const size = this.#changes.size;
      await this.#round(extent);
      if (size <= restMax) return;
    }
    throw new StoreError(
      "overloaded",
      "More is written than can be copied at the same time: try it when there is less to do; it goes on where it was",
    );
  }

  async #round(extent: "copied" | "compared as well"): Promise<void> {
    this.#options.signal.throwIfAborted();
    const touched = this.#changes.take();
    if (touched.isEverything) {
      await this.#copier.all();
      if (extent === "compared as well") await this.#comparison.all();
      return;
    }
    const ranges = await this.#copier.touched(touched);
    if (extent === "compared as well") await this.#comparison.touched(touched, ranges);
  }

  /** Answers how long writes waited. */
  async #stop(target: Store): Promise<number> {
    const { store, from, report } = this.#options;
    this.#report("stop", this.#copier.tally);
    const beganAt = performance.now();
    store.hold();
    await inTime(stopMsMax, async () => {
      await store.settle();
      await this.#round("compared as well");
    });
    try {
      await this.#untilDone(() => from.markMoved(this.#copy.place));
      this.#options.shared();
      await this.#untilDone(() => PostgresCopy.finish(this.#options.url, from.epoch));
    } catch (error) {
      store.refuse(error);
      throw error;
    }
    store.switchTo(target);
    report({ phase: "moved", done: this.#copier.tally, entries: this.#entries });
    return performance.now() - beganAt;
  }

  /**
   * There is no way back: a mark whose write has failed may be found later. What was begun is tried until it is done,
   * for nothing can go on before.
   */
  async #untilDone(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.#options.closing.aborted) throw error;
        await delay(retryMs, undefined, { signal: this.#options.closing });
      }
    }
  }

  async #reporting(phase: MovePhase, tally: Tally, work: () => Promise<void>): Promise<void> {
    this.#report(phase, tally);
    const reports = setInterval(() => this.#report(phase, tally), 1000);
    try {
      await work();
    } finally {
      clearInterval(reports);
    }
    this.#report(phase, tally);
  }

  #report(phase: MovePhase, done: Tally): void {
    this.#options.report({ phase, done: { ...done }, entries: this.#entries });
  }
}
