import { Histogram } from "./histogram.ts";

/** What happened in each slice of time: how often, and how long it took. */
export interface Series {
  readonly bucketMs: number;
  /** Messages stored in each slice. */
  readonly stored: readonly number[];
  /** Messages that their receiver got for the first time in each slice. */
  readonly received: readonly number[];
  /** Latencies of what was received in each slice, in ms; null where nothing was. */
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

export class Timeline {
  readonly #bucketMs: number;
  readonly #startMs: number;
  readonly #stored: number[];
  readonly #latencies: Histogram[];
  #lastStoredMs: number;
  /** The longest time in which nothing was stored, and when it began, from the start of the timeline on. */
  gapMs = 0;
  gapStartMs = 0;

  constructor(startMs: number, lengthMs: number, bucketMs: number) {
    this.#bucketMs = bucketMs;
    this.#startMs = startMs;
    this.#lastStoredMs = startMs;
    const buckets = Math.ceil(lengthMs / bucketMs);
    this.#stored = Array.from({ length: buckets }, () => 0);
    this.#latencies = Array.from({ length: buckets }, () => new Histogram());
  }

  stored(nowMs: number): void {
    const gapMs = nowMs - this.#lastStoredMs;
    if (gapMs > this.gapMs) {
      this.gapMs = gapMs;
      this.gapStartMs = this.#lastStoredMs - this.#startMs;
    }
    this.#lastStoredMs = nowMs;
    const bucket = this.#bucket(nowMs);
    const count = this.#stored[bucket];
    if (count !== undefined) this.#stored[bucket] = count + 1;
  }

  received(nowMs: number, latencyMs: number): void {
    this.#latencies[this.#bucket(nowMs)]?.record(latencyMs);
  }

  series(): Series {
    const latency = (share: number) =>
      this.#latencies.map((one) => (one.count === 0 ? null : Math.round(one.percentile(share) * 100) / 100));
    return {
      bucketMs: this.#bucketMs,
      stored: this.#stored,
      received: this.#latencies.map(({ count }) => count),
      p50: latency(0.5),
      p99: latency(0.99),
    };
  }

  #bucket(nowMs: number): number {
    return Math.floor((nowMs - this.#startMs) / this.#bucketMs);
  }
}
