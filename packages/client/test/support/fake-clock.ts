import type { Clock, Random } from "../../src/ports.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;
}

/** Time that moves only when told. */
export class FakeClock implements Clock {
  #now = 1_700_000_000_000;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, order: this.#order++, work };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets promises settle. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves on by `ms`, timer by timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.at > end) continue;
        if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
          next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.work();
      await this.settle();
    }
    this.#now = end;
  }

  /** Moves on until `condition` holds; fails after `limitMs`. */
  async until(condition: () => boolean, what: string, limitMs = 120_000): Promise<void> {
    await this.settle();
    for (let ms = 0; ms < limitMs; ms += 50) {
      if (condition()) return;
      await this.advance(50);
    }
    if (!condition()) throw new Error(`never happened: ${what}`);
  }
}

/** A small deterministic generator (mulberry32). */
export class FakeRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  id(): string {
    let id = "";
    while (id.length < 22) id += Math.floor(this.next() * 36).toString(36);
    return id;
  }
}
