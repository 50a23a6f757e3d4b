/**
 * Latencies in 1/1000 ms, kept as counts: recording costs one increment, whatever the number of samples, and the
 * error of a percentile is below 1 %.
 */
const subBits = 7;
const subCount = 1 << subBits;
/** Values up to 2^36 µs (19 hours). */
const bucketCount = subCount * (36 - subBits + 2);

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

export class Histogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #maxMs = 0;

  record(ms: number): void {
    this.#count++;
    if (ms > this.#maxMs) this.#maxMs = ms;
    let micros = ms * 1000;
    if (micros < 0) micros = 0;
    if (micros < subCount) {
      this.#counts[micros | 0] = (this.#counts[micros | 0] as number) + 1;
      return;
    }
    // The position of the highest bit selects the octave, the next bits the bucket inside it.
    const octave = micros >= 0x1_0000_0000 ? 32 : 31 - Math.clz32(micros);
    const shift = octave - subBits + 1;
    const bucket = Math.min(bucketCount - 1, shift * (subCount >> 1) + Math.floor(micros / 2 ** shift));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  get count(): number {
    return this.#count;
  }

  /** Milliseconds below which the given share (0–1) of the samples lies; 0 where there are none. */
  percentile(share: number): number {
    let left = Math.max(1, Math.ceil(this.#count * share));
    if (this.#count === 0) return 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) return Math.min(this.#maxMs, upperMs(bucket));
    }
    return this.#maxMs;
  }

  percentiles(): Percentiles {
    return {
      p50: this.percentile(0.5),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
      max: this.#maxMs,
      count: this.#count,
    };
  }
}

function upperMs(bucket: number): number {
  if (bucket < subCount) return (bucket + 1) / 1000;
  const half = subCount >> 1;
  const shift = Math.floor(bucket / half) - 1;
  const base = bucket - shift * half;
  return ((base + 1) * 2 ** shift) / 1000;
}
