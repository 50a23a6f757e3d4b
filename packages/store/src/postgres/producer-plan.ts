import type { Append } from "@hongyan/core";
import type { LogPlan, PlannedEntry } from "./log-plan.ts";
import type { Producer } from "./remembered-log.ts";

/** What one group has of one producer in one log. */
export class ProducerPlan {
  readonly producer: Producer;
  /** The highest number that is known to be stored; infinite where nothing is known. */
  readonly #stored: number;
  /** The entry with the highest number; those before it are behind it. */
  #latest: PlannedEntry | undefined;
  /** All of them, once a number came that was not the highest. */
  #all: Map<number, PlannedEntry> | undefined;

  constructor(producer: Producer, stored: number) {
    this.producer = producer;
    this.#stored = stored;
  }

  /** The entry of an append, which is added to `keys` where its key must be looked for. */
  plan(log: LogPlan, append: Append, keys: PlannedEntry[]): PlannedEntry {
    const { number } = append;
    const before = this.#latest;
    const follows = before === undefined || number > before.append.number;
    const known = follows ? undefined : this.#everything().get(number);
    if (known !== undefined) return known;
    const entry = { log, producer: this.producer, append, seq: 0, stored: undefined, before };
    if (follows) this.#latest = entry;
    this.#all?.set(number, entry);
    if (number <= this.#stored) keys.push(entry);
    return entry;
  }

  #everything(): Map<number, PlannedEntry> {
    if (this.#all === undefined) {
      this.#all = new Map();
      for (let entry = this.#latest; entry !== undefined; entry = entry.before)
        this.#all.set(entry.append.number, entry);
    }
    return this.#all;
  }
}
