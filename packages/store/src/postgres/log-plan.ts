import type { Append, AppendOutcome, LogId } from "@hongyan/core";
import { bodyDigest } from "../digest.ts";
import { type NameDigest, nameDigest } from "./name-digest.ts";
import type { Producer, RememberedLog } from "./remembered-log.ts";

/** An idempotency key that a group asks for. */
export interface KeyPlan {
  readonly log: LogPlan;
  readonly producer: Producer;
  readonly number: number;
  /** Where it was stored before the group. */
  stored: { readonly seq: number; readonly time: number; readonly digest: string | undefined } | undefined;
  /** Where this group stores it. */
  fresh: FreshEntry | undefined;
}

export interface FreshEntry {
  readonly log: LogPlan;
  readonly seq: number;
  readonly append: Append;
  /** Undefined where the entry has no key. */
  readonly producer: Producer | undefined;
}

/** What one group does to one log. */
export class LogPlan {
  readonly name: LogId;
  readonly id: NameDigest;
  /** What this node has left; undefined where it knows nothing of the log. */
  readonly memory: RememberedLog | undefined;
  /** Its place among others: the first 6 bytes of what orders them in the database. */
  readonly order: number;
  /** Whether its head is not taken from memory. */
  isLocked: boolean;
  /** The head that the group has found. */
  found = 0;
  head = 0;
  readonly #keys = new Map<string, KeyPlan>();
  /** The last that was asked for; `number`: the highest that is known to be stored. */
  #producer: Producer & { readonly number?: number } = { name: "", digest: "" };

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
   * Registers an append, and answers its key where it must be looked for: not where it has none, or is registered
   * already, or follows on what this node has stored.
   */
  expect({ producer, number }: Append): KeyPlan | undefined {
    if (producer === "") return undefined;
    const name = keyName(producer, number);
    if (this.#keys.has(name)) return undefined;
    const found = this.#find(producer);
    const key = { log: this, producer: found, number, stored: undefined, fresh: undefined };
    this.#keys.set(name, key);
    return number > (found.number ?? Number.POSITIVE_INFINITY) ? undefined : key;
  }

  /** The outcome, and the entry where there is a new one. */
  append(append: Append): { readonly outcome: AppendOutcome; readonly entry?: FreshEntry } {
    const { producer, number, time, body } = append;
    const key = producer === "" ? undefined : this.#keys.get(keyName(producer, number));
    if (key?.fresh !== undefined) {
      const { seq, append: first } = key.fresh;
      return { outcome: again(seq, first.time, Buffer.compare(first.body, body) === 0) };
    }
    if (key?.stored !== undefined) return { outcome: repeat(key.stored, body) };
    const seq = ++this.head;
    const entry = { log: this, seq, append, producer: key?.producer };
    if (key !== undefined) key.fresh = entry;
    return { outcome: { status: "stored", seq, time }, entry };
  }

  /** A producer's appends mostly come one after another. */
  #find(name: string): Producer & { readonly number?: number } {
    if (this.#producer.name !== name)
      this.#producer = this.memory?.producer(name) ?? { name, digest: nameDigest(name) };
    return this.#producer;
  }
}

function repeat({ seq, time, digest }: NonNullable<KeyPlan["stored"]>, body: Uint8Array): AppendOutcome {
  // Its body is gone, so that any body is a duplicate.
  if (digest === undefined) return again(seq, 0, true);
  return again(seq, time, bodyDigest(body) === digest);
}

function again(seq: number, time: number, isSame: boolean): AppendOutcome {
  return { status: isSame ? "duplicate" : "conflict", seq, time };
}

function keyName(producer: string, number: number): string {
  return `${number}:${producer}`;
}
