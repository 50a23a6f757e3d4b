import { Fifo } from "./fifo.ts";

/**
 * Work that waits for its turn. When everybody comes back at once, only so many handshakes are begun in one tick, and
 * what the users who stayed send and receive is handled between them. Where nothing else is to be done the next
 * tick comes at once, so that nobody waits for a clock.
 */
export class Turns {
  readonly #defer: (run: () => void) => void;
  readonly #perTick: number;
  readonly #waiting = new Fifo<() => void>();
  readonly #run = (): void => {
    for (let begun = 0; begun < this.#perTick; begun++) this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#defer(this.#run);
  };

  /** `defer` runs its work at the end of the tick. */
  constructor(defer: (run: () => void) => void, perTick: number) {
    this.#defer = defer;
    this.#perTick = perTick;
  }

  /** Runs `work`, which must not throw, in its turn. */
  add(work: () => void): void {
    this.#waiting.push(work);
    if (this.#waiting.length === 1) this.#defer(this.#run);
  }
}
