import type { Clock } from "./ports.ts";

/**
 * Admits handshakes at a rate, so that everybody coming back at once does not starve those who stayed. Who is
 * refused is told a place in the queue, not just "later": the n-th one over the rate comes back n/rate later.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #tokens: number;
  #queued = 0;
  #refilledAtMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#refilledAtMs = clock.now();
  }

  /** 0 if admitted, otherwise milliseconds until there is room. */
  admit(): number {
    this.#refill();
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    this.#queued++;
    return Math.ceil(((this.#queued + 1) * 1000) / this.#perSecond);
  }

  #refill(): void {
    const now = this.#clock.now();
    const elapsedMs = Math.max(0, now - this.#refilledAtMs);
    this.#refilledAtMs = now;
    const room = (elapsedMs * this.#perSecond) / 1000;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + room);
    this.#queued = Math.max(0, this.#queued - room);
  }
}
