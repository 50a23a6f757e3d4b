import type { Append, AppendOutcome, LogId } from "@hongyan/core";
import { bodyDigest } from "../digest.ts";
import { type NameDigest, nameDigest } from "./name-digest.ts";
import { ProducerPlan } from "./producer-plan.ts";
import type { Producer, RememberedLog } from "./remembered-log.ts";

/**
 * An entry that a group may store: one for all its appends of one idempotency key, and one for each that has none. One
 * object for each, and no map: this is the hot path.
 */
export interface PlannedEntry {
  readonly log: LogPlan;
  /** Undefined where it has no key. */
  readonly producer: Producer | undefined;
  /** The one that is stored; until then, the first that asked. */
  append: Append;
  /** Where it is stored by this group; 0: it is not. */
  seq: number;
  /** Where its key was stored before the group. */
  stored: { readonly seq: number; readonly time: number; readonly digest: string | undefined } | undefined;
  /** Of the same producer, asked for before. */
  readonly before: PlannedEntry | undefined;
}

/** What one group does to one log. */
export class LogPlan {
  readonly name: LogId;
  readonly id: NameDigest;
  /** What this node has left, before the group and once it is committed; undefined where it knows nothing of the log. */
  memory: RememberedLog | undefined;
  /** Its place among others: the first 6 bytes of what orders them in the database. */
  readonly order: number;
  /** Whether its head is not taken from memory. */
  isLocked: boolean;
  /** The head that the group has found. */
  found = 0;
  head = 0;
  /** The last that was asked for, and all of them once there are two. */
  #latest: ProducerPlan | undefined;
  #producers: Map<string, ProducerPlan> | undefined;

  constructor(name: LogId, memory: RememberedLog | undefined) {
    this.name = name;
    this.id = memory?.id ?? nameDigest(name);
    this.memory = memory;
    let order = 0;
    for (let at = 0; at < 6; at++) order = order * 256 + this.id.charCodeAt(at);
    this.order = order;
    const head = memory?.trustedHead;
    this.isLocked = head === undefined;
    if (head !== undefined) this.load(head);
  }

  load(head: number): void {
    this.found = head;
    this.head = head;
  }

  /**
   * The entry of an append. It is added to `keys` where its key must be looked for: not where it has none, or is there
   * already, or follows on what this node has stored.
   */
  plan(append: Append, keys: PlannedEntry[]): PlannedEntry {
    if (append.producer === "")
      return { log: this, producer: undefined, append, seq: 0, stored: undefined, before: undefined };
    return this.#producerOf(append.producer).plan(this, append, keys);
  }

  /** The outcome of one of the appends of an entry. Where it is stored now, it is added to `entries`. */
  append(entry: PlannedEntry, append: Append, entries: PlannedEntry[]): AppendOutcome {
    const { time, body } = append;
    if (entry.seq > 0)
      return again(entry.seq, entry.append.time, Buffer.compare(entry.append.body, body) === 0);
    if (entry.stored !== undefined) return repeat(entry.stored, body);
    entry.append = append;
    entry.seq = ++this.head;
    entries.push(entry);
    return { status: "stored", seq: entry.seq, time };
  }

  #producerOf(name: string): ProducerPlan {
    // Appends of a producer mostly come one after another.
    if (this.#latest?.producer.name === name) return this.#latest;
    let plan = this.#producers?.get(name);
    if (plan === undefined) {
      const known = this.memory?.producer(name);
      plan = new ProducerPlan(
        known ?? { name, digest: nameDigest(name) },
        known?.number ?? Number.POSITIVE_INFINITY,
      );
      // One alone needs no map.
      if (this.#latest !== undefined)
        this.#producers ??= new Map([[this.#latest.producer.name, this.#latest]]);
      this.#producers?.set(name, plan);
    }
    this.#latest = plan;
    return plan;
  }
}

function repeat({ seq, time, digest }: NonNullable<PlannedEntry["stored"]>, body: Uint8Array): AppendOutcome {
  // Its body is gone, so that any body is a duplicate.
  if (digest === undefined) return again(seq, 0, true);
  return again(seq, time, bodyDigest(body) === digest);
}

function again(seq: number, time: number, isSame: boolean): AppendOutcome {
  return { status: isSame ? "duplicate" : "conflict", seq, time };
}
