import type { Journal } from "@hongyan/core";
import { StoreError } from "../store-error.ts";
import type { Readers } from "./readers.ts";
import type { PostgresStatistics } from "./statistics.ts";
import type { Statement } from "./writer.ts";

const measureEveryMs = 60_000;
/** The first one waits for its connection, perhaps; the quickest answer says most. */
const triesAtStart = 3;

const readClock: Statement = {
  name: "clock",
  text: "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8",
};

export interface ClockWatchOptions {
  readonly readers: Readers;
  readonly place: string;
  readonly journal: Journal | undefined;
  readonly statistics: PostgresStatistics;
  /** How far the two clocks may be apart. */
  readonly skewMsMax: number;
  /** The clock of this machine, in milliseconds since 1970. */
  readonly now: () => number;
}

interface Measured {
  /** How far this machine's clock is ahead. */
  readonly skewMs: number;
  /** It is that, give or take half of the time that the answer took. */
  readonly errorMs: number;
}

/**
 * Compares the clock of this machine with the server's, which all nodes have in common: times of messages and the
 * validity of tokens come from the nodes' clocks. One that is wrong at the start is refused; later it is a warning, as
 * ending a node would help nobody.
 */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** Measures from now on. Rejects with `StoreError` `unsuitable` where the clocks are too far apart. */
  async start(): Promise<void> {
    let best: Measured | undefined;
    for (let tries = 0; tries < triesAtStart; tries++) {
      const measured = await this.#measure();
      if (best === undefined || measured.errorMs < best.errorMs) best = measured;
    }
    if (best !== undefined && this.#isOff(best)) throw new StoreError("unsuitable", this.#sentence(best));
    this.#timer = setInterval(() => void this.#look(), measureEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { journal, place } = this.#options;
    try {
      const measured = await this.#measure();
      if (!this.#isOff(measured)) return;
      journal?.warn("store.clock_skew", { place, error: this.#sentence(measured) });
    } catch {
      // The server is away: others say so.
    }
  }

  async #measure(): Promise<Measured> {
    const { readers, now, statistics } = this.#options;
    const beganAt = now();
    const beganMs = performance.now();
    const [row] = await readers.run(readClock, []);
    const errorMs = (performance.now() - beganMs) / 2;
    const skewMs = beganAt + errorMs - Number(row?.[0]);
    statistics.clockSkewSeconds = skewMs / 1000;
    return { skewMs, errorMs };
  }

  #isOff({ skewMs, errorMs }: Measured): boolean {
    return Math.abs(skewMs) - errorMs > this.#options.skewMsMax;
  }

  #sentence({ skewMs }: Measured): string {
    const { place, skewMsMax } = this.#options;
    const apart = `${(Math.abs(skewMs) / 1000).toFixed(1)} s ${skewMs > 0 ? "ahead of" : "behind"}`;
    return `The clock of this machine is ${apart} that of ${place}, and may be ${skewMsMax / 1000} s: let NTP set the clocks of both`;
  }
}
