import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { SortedMap } from "./sorted-map.ts";

export interface DiskWrite {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface DiskConditions {
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Probability that a write is reported as failed; whether it took effect is then open. */
  readonly fail: number;
}

export const calmDisk: DiskConditions = { latencyMsMin: 0, latencyMsMax: 3, fail: 0 };

/** A batch on its way: `volatile` until the log that holds it is flushed. */
interface Flight {
  readonly writes: readonly DiskWrite[];
  readonly sync: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The disk under a key-value engine with a write-ahead log, as LevelDB has it: batches take effect one after
 * another and whole; a synchronous one makes everything before it durable. A crash keeps what is durable and some
 * beginning of the rest: a torn last record is dropped by its checksum, so that a batch is there or not.
 */
export class Disk {
  conditions: DiskConditions;
  /** Told of every batch at the moment it becomes durable. */
  onDurable: (writes: readonly DiskWrite[]) => void = () => {};
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  #data = new SortedMap();
  #flights: Flight[] = [];
  #isBusy = false;
  /** Reads under way: how to end them. */
  readonly #reads = new Set<(error: Error) => void>();
  /** Batches that reads see and a crash may take away, with what they replaced. */
  #volatile: { readonly writes: readonly DiskWrite[]; readonly before: readonly DiskWrite[] }[] = [];
  /** Rises with every crash and reopening: what belongs to an older life of the disk is void. */
  #life = 0;
  /** Lives up to this one ended with their process: nobody there learns anything any more. */
  #crashedLife = -1;
  /** A write was reported as failed: the engine takes no more until it is opened anew, which shows what it holds. */
  #failed: { readonly inLog: readonly DiskWrite[] | undefined } | undefined;

  /** A planted bug: writes are confirmed before they are done. */
  readonly #lies: boolean;

  constructor(scheduler: Scheduler, random: SeededRandom, conditions: DiskConditions, lies = false) {
    this.#lies = lies;
    this.#scheduler = scheduler;
    this.#random = random;
    this.conditions = conditions;
  }

  /** How often the power has gone. */
  crashes = 0;

  get life(): number {
    return this.#life;
  }

  /** What a reader of the live engine sees. */
  get data(): SortedMap {
    return this.#data;
  }

  /** Resolves when the batch took effect (and is durable, where `sync`). */
  write(life: number, writes: readonly DiskWrite[], sync: boolean): Promise<void> {
    if (life !== this.#life) return this.#gone(life);
    if (this.#failed !== undefined) return Promise.reject(new Error("the disk has reported an error"));
    return new Promise((resolve, reject) => {
      if (this.#lies) this.#later(life, resolve, 0.1);
      this.#flights.push({ writes, sync, resolve, reject });
      if (!this.#isBusy) this.#work();
    });
  }

  /** Runs `work` after the time that a read takes; rejects where the engine is closed before. */
  read<T>(life: number, work: () => T): Promise<T> {
    if (life !== this.#life) return this.#gone(life);
    return new Promise((resolve, reject) => {
      this.#reads.add(reject);
      this.#later(life, () => {
        this.#reads.delete(reject);
        resolve(work());
      });
    });
  }

  /** Closes the engine and opens it again on the same disk, in the same process. */
  reopen(): void {
    this.#life++;
    this.#isBusy = false;
    for (const { reject } of this.#flights.splice(0)) reject(new Error("the disk was closed"));
    for (const reject of this.#reads) reject(new Error("the disk was closed"));
    this.#reads.clear();
    this.#settleFailure();
  }

  /** The power goes: what is not durable survives up to some point of the log, and nothing after it. */
  crash(): void {
    this.crashes++;
    this.#crashedLife = this.#life++;
    this.#isBusy = false;
    this.#reads.clear();
    this.#settleFailure();
    const flights = this.#flights;
    this.#flights = [];
    const pending = this.#volatile.length + flights.length;
    let survivors = pending === 0 ? 0 : this.#random.between(0, pending);
    const kept = this.#volatile.splice(0, survivors);
    survivors -= kept.length;
    for (const batch of this.#volatile.reverse())
      for (const { key, value } of batch.before) this.#data.set(key, value);
    this.#volatile = [];
    for (const batch of kept) this.onDurable(batch.writes);
    for (const flight of flights.slice(0, survivors)) {
      for (const { key, value } of flight.writes) this.#data.set(key, value);
      this.onDurable(flight.writes);
    }
  }

  #gone(life: number): Promise<never> {
    if (life <= this.#crashedLife) return new Promise(() => {});
    return Promise.reject(new Error("the disk was closed"));
  }

  #work(): void {
    const flight = this.#flights[0];
    if (flight === undefined) {
      this.#isBusy = false;
      return;
    }
    this.#isBusy = true;
    this.#later(this.#life, () => {
      this.#flights.shift();
      if (this.#failed === undefined && this.#random.chance(this.conditions.fail)) {
        this.#failed = { inLog: this.#random.chance(0.5) ? flight.writes : undefined };
      }
      if (this.#failed === undefined) this.#apply(flight);
      const hasFailed = this.#failed !== undefined;
      // The engine learns of it a little later than it is true: a crash in between leaves a durable batch that
      // nobody was told about.
      this.#later(
        this.#life,
        () => (hasFailed ? flight.reject(new Error("the disk reports an error")) : flight.resolve()),
        0.3,
      );
      this.#work();
    });
  }

  /** A write that failed may stand in the engine's log all the same, and be found by the next opening. */
  #settleFailure(): void {
    const inLog = this.#failed?.inLog;
    this.#failed = undefined;
    if (inLog === undefined) return;
    for (const { key, value } of inLog) this.#data.set(key, value);
    this.onDurable(inLog);
  }

  #apply(flight: Flight): void {
    const before: DiskWrite[] = [];
    for (const { key, value } of flight.writes) {
      before.unshift({ key, value: this.#data.get(key) });
      this.#data.set(key, value);
    }
    this.#volatile.push({ writes: flight.writes, before });
    if (!flight.sync) return;
    for (const batch of this.#volatile) this.onDurable(batch.writes);
    this.#volatile = [];
  }

  #later(life: number, work: () => void, share = 1): void {
    const { latencyMsMin, latencyMsMax } = this.conditions;
    const delayMs = (latencyMsMin + this.#random.fraction() * (latencyMsMax - latencyMsMin)) * share;
    this.#scheduler.after(delayMs, () => {
      if (life === this.#life) work();
    });
  }
}
