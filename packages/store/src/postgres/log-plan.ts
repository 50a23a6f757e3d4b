import type { Append, AppendOutcome, LogId } from "@hongyan/core";
import { bodyDigest, digestOf } from "../digest.ts";

/** An idempotency key that a group asks for. */
export interface KeyPlan {
  readonly log: LogPlan;
  readonly producer: Buffer;
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
  readonly producer: Buffer | undefined;
}

/** What one group does to one log. */
export class LogPlan {
  readonly name: LogId;
  readonly id: Buffer;
  /** How many appends the group has for it, stored or not. */
  asked = 0;
  head = 0;
  /** The head as the group has found it, and all that was asked for. */
  taken = 0;
  trimmed = 0;
  readonly #keys = new Map<string, KeyPlan>();
  #producer = "";
  #producerDigest: Buffer = Buffer.alloc(0);

  constructor(name: LogId) {
    this.name = name;
    this.id = digestOf(name);
  }

  /** Registers an append, and answers its key; undefined where it has none, or is registered already. */
  expect({ producer, number }: Append): KeyPlan | undefined {
    this.asked++;
    if (producer === "") return undefined;
    const name = keyName(producer, number);
    if (this.#keys.has(name)) return undefined;
    const key = { log: this, producer: this.#digest(producer), number, stored: undefined, fresh: undefined };
    this.#keys.set(name, key);
    return key;
  }

  /** The outcome, and the entry where there is a new one. */
  append(append: Append): { readonly outcome: AppendOutcome; readonly entry?: FreshEntry } {
    const { producer, number, time, body } = append;
    const key = producer === "" ? undefined : this.#keys.get(keyName(producer, number));
    if (key?.fresh !== undefined) {
      const { seq, append: first } = key.fresh;
      return { outcome: again(seq, first.time, Buffer.compare(first.body, body) === 0) };
    }
    if (key?.stored !== undefined) return { outcome: this.#repeat(key.stored, body) };
    const seq = ++this.head;
    const entry = { log: this, seq, append, producer: key?.producer };
    if (key !== undefined) key.fresh = entry;
    return { outcome: { status: "stored", seq, time }, entry };
  }

  #repeat({ seq, time, digest }: NonNullable<KeyPlan["stored"]>, body: Uint8Array): AppendOutcome {
    // Its body is gone, so that any body is a duplicate.
    if (seq <= this.trimmed || digest === undefined) return again(seq, 0, true);
    return again(seq, time, bodyDigest(body) === digest);
  }

  /** A producer's appends mostly come one after another. */
  #digest(producer: string): Buffer {
    if (producer !== this.#producer) {
      this.#producer = producer;
      this.#producerDigest = digestOf(producer);
    }
    return this.#producerDigest;
  }
}

function again(seq: number, time: number, isSame: boolean): AppendOutcome {
  return { status: isSame ? "duplicate" : "conflict", seq, time };
}

function keyName(producer: string, number: number): string {
  return `${number}:${producer}`;
}
