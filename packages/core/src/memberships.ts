import { allPages } from "./conversations.ts";
import { conversationLog, recordKeys } from "./keys.ts";
import type { LogId, Store, StoredRecord } from "./ports.ts";
import { decodeRecord, type MemberRecord } from "./record.ts";

/** A conversation in which a user has, or has had, a part. */
export interface Membership {
  readonly conversation: string;
  readonly log: LogId;
  readonly member: MemberRecord;
}

/** How many rows one read brings. */
const pageRows = 1000;

/**
 * The conversations of users. Those of users who were asked for lately are remembered, as long as nobody but this node
 * writes: reading them is most of what it costs to sign in. Bounded in memberships, of about 200 bytes each.
 */
export class Memberships {
  readonly #store: Store;
  readonly #rememberedMax: number;
  #isShared = false;
  /** By what the keys of a user's records begin with, least recently used first. */
  readonly #remembered = new Map<string, readonly Membership[]>();
  /** What is read and was not written meanwhile. */
  readonly #reading = new Map<string, Promise<readonly Membership[]>>();
  #count = 0;

  constructor(store: Store, rememberedMax: number) {
    this.#store = store;
    this.#rememberedMax = rememberedMax;
  }

  /** From now on other nodes may write to the store as well: nothing is remembered. */
  share(): void {
    this.#isShared = true;
    this.clear();
  }

  /** All of a user, as the store has them. */
  of(domain: string, user: string): Promise<readonly Membership[]> {
    const prefix = recordKeys.memberships(domain, user);
    if (this.#isShared) return this.#read(domain, prefix);
    const known = this.#remembered.get(prefix);
    if (known !== undefined) {
      this.#remembered.delete(prefix);
      this.#remembered.set(prefix, known);
      return Promise.resolve(known);
    }
    let reading = this.#reading.get(prefix);
    if (reading === undefined) {
      const begun = this.#read(domain, prefix).then(
        (list) => {
          if (this.#end(prefix, begun)) this.#remember(prefix, list);
          return list;
        },
        (error) => {
          this.#end(prefix, begun);
          throw error;
        },
      );
      reading = begun;
      this.#reading.set(prefix, reading);
    }
    return reading;
  }

  /** This record was written. */
  written(key: string): void {
    if (this.#isShared || !key.startsWith("membership/", key.indexOf("/") + 1)) return;
    const prefix = key.slice(0, key.lastIndexOf("/") + 1);
    this.#reading.delete(prefix);
    this.#forget(prefix);
  }

  /** Forgets everything: after a failed commit nothing in memory is known to be true. */
  clear(): void {
    this.#remembered.clear();
    this.#reading.clear();
    this.#count = 0;
  }

  /** Whether nothing was written since the read has begun. */
  #end(prefix: string, reading: Promise<readonly Membership[]>): boolean {
    return this.#reading.get(prefix) === reading && this.#reading.delete(prefix);
  }

  #remember(prefix: string, list: readonly Membership[]): void {
    if (sizeOf(list) > this.#rememberedMax) return;
    this.#remembered.set(prefix, list);
    this.#count += sizeOf(list);
    for (const [oldest] of this.#remembered) {
      if (this.#count <= this.#rememberedMax) return;
      this.#forget(oldest);
    }
  }

  #forget(prefix: string): void {
    const list = this.#remembered.get(prefix);
    if (list === undefined) return;
    this.#remembered.delete(prefix);
    this.#count -= sizeOf(list);
  }

  async #read(domain: string, prefix: string): Promise<readonly Membership[]> {
    const rows = await allPages(
      (after) => this.#store.list(prefix, after, pageRows),
      (row) => row.key,
    );
    let last: StoredRecord | undefined;
    let member: MemberRecord | undefined;
    return rows.map((row) => {
      // Most are the same: a member since the first entry.
      if (member === undefined || last === undefined || !areEqual(last.value, row.value))
        member = decodeRecord<MemberRecord>(row.value);
      last = row;
      const conversation = row.key.slice(prefix.length);
      return { conversation, log: conversationLog(domain, conversation), member };
    });
  }
}

/** A user without conversations takes a place, too. */
function sizeOf(list: readonly Membership[]): number {
  return list.length + 1;
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
