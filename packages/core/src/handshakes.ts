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
  #waiting: (() => void)[] = [];
  #next = 0;
  readonly #run = (): void => {
    const end = Math.min(this.#waiting.length, this.#next + perTick);
    while (this.#next < end) (this.#waiting[this.#next++] as () => void)();
    if (this.#next < this.#waiting.length) return this.#clock.defer(this.#run);
    this.#waiting = [];
    this.#next = 0;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `begin` in its turn. */
  add(begin: () => void): void {
    if (this.#waiting.push(begin) === 1) this.#clock.defer(this.#run);
  }
}
