import type { Merge } from "./packing.ts";

/** Something with output that waits for the end of the tick. */
export interface Flushable {
  flush(pass: FlushPass): void;
}

/** One round of flushing. It remembers the last merge, because neighbours often send the same frames. */
export interface FlushPass {
  merge: Merge | undefined;
}

/**
 * Collects who has something to send, and flushes all of them once everything that has already arrived was
 * handled: one immediate for all connections, one write per connection and tick.
 */
export class FlushLoop {
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  readonly #run = (): void => {
    const waiting = this.#waiting;
    this.#waiting = this.#spare;
    const pass: FlushPass = { merge: undefined };
    for (const flushable of waiting) flushable.flush(pass);
    waiting.length = 0;
    this.#spare = waiting;
  };

  add(flushable: Flushable): void {
    if (this.#waiting.push(flushable) === 1) setImmediate(this.#run);
  }
}
