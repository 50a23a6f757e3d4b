import { Fifo } from "./fifo.ts";
import type { Clock } from "./ports.ts";

/** Handshakes begun in one tick. */
const perTick = 32;

/**
 * Handshakes that wait for their turn. When everybody comes back at once, only so many are begun in one tick, and
 * what the users who stayed send and receive is handled between them. Where nothing else is to be done the next
 * tick comes at once, so that nobody waits for a clock.
 */
export class Handshakes {
  readonly #clock: Clock;
  readonly #waiting = new Fifo<() => void>();
  readonly #run = (): void => {
    for (let begun = 0; begun < perTick; begun++) this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#clock.defer(this.#run);
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `begin` in its turn. */
  add(begin: () => void): void {
    this.#waiting.push(begin);
    if (this.#waiting.length === 1) this.#clock.defer(this.#run);
  }
}
