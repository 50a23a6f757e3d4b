import type { Clock } from "@hongyan/core";
import type { Scheduler } from "../scheduler.ts";

/** 2026-01-01: a date like any other, so that wall times in tests look like wall times. */
export const worldBeginsAt = 1_767_225_600_000;

/** The clock of one process. It may jump; the world's own time never does. */
export class SimClock implements Clock {
  skewMs = 0;
  readonly #scheduler: Scheduler;
  #deferred: (() => void)[] = [];
  #isStopped = false;

  constructor(scheduler: Scheduler, skewMs: number) {
    this.#scheduler = scheduler;
    this.skewMs = skewMs;
  }

  now(): number {
    return worldBeginsAt + Math.floor(this.#scheduler.now) + this.skewMs;
  }

  defer(work: () => void): void {
    this.#deferred.push(work);
    if (this.#deferred.length === 1) this.#scheduler.after(0, () => this.#run());
  }

  /** The process is gone: nothing of it runs any more. */
  stop(): void {
    this.#isStopped = true;
    this.#deferred = [];
  }

  #run(): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const work of deferred) if (!this.#isStopped) work();
  }
}
