import type {
  Batch,
  CommitOutcome,
  CursorId,
  Entry,
  LogId,
  PageLimit,
  ReaderPosition,
  Store,
  StoredRecord,
} from "@hongyan/core";
import { bytesOf } from "../batch-bytes.ts";
import { StoreError } from "../store-error.ts";
import { Changes } from "./changes.ts";

type State =
  | { readonly kind: "plain" }
  /** What is written is noted. */
  | { readonly kind: "watched"; readonly changes: Changes }
  /** Nothing is written: who asks waits. */
  | { readonly kind: "held"; readonly changes: Changes; readonly waiting: (() => void)[]; bytes: number }
  /** The data are not here any more, and not yet anywhere else. */
  | { readonly kind: "refused"; readonly error: unknown };

export interface MovableStoreOptions {
  /** Bytes that may wait while writes are held; more is refused as `overloaded`. Default 64 MiB. */
  readonly heldBytesMax?: number | undefined;
}

/**
 * A store whose data can be taken to another one while it is used. Whoever uses it notices a commit that takes longer.
 *
 *   plain --watch--> watched --hold--> held --switch to the other store--> plain
 *     '<-----unwatch-----'<--------------'|'--refuse--> refused
 */
export class MovableStore implements Store {
  readonly epoch: string;
  readonly #heldBytesMax: number;
  #store: Store;
  /** The one before: it is kept open, since reads of it may be under way, and it has the lock of its directory. */
  #old: Store | undefined;
  #state: State = { kind: "plain" };
  #closing: Promise<void> | undefined;

  constructor(store: Store, { heldBytesMax = 64 * 1024 * 1024 }: MovableStoreOptions = {}) {
    this.epoch = store.epoch;
    this.#store = store;
    this.#heldBytesMax = heldBytesMax;
  }

  // ── Moving ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** From the moment that this resolves, whatever is written is noted. Rejects where the store takes no writes. */
  async watch(): Promise<Changes> {
    if (this.#state.kind !== "plain") throw new Error("The store is being moved already");
    const changes = new Changes();
    this.#state = { kind: "watched", changes };
    try {
      await this.settle();
    } catch (error) {
      this.unwatch();
      throw error;
    }
    return changes;
  }

  /** Those who wait go on, and nothing is noted any more. Writes that are refused stay so. */
  unwatch(): void {
    if (this.#state.kind !== "refused") this.#become({ kind: "plain" });
  }

  /** Those who wait are refused, and whoever comes after them. */
  refuse(error: unknown): void {
    this.#become({ kind: "refused", error });
  }

  /** Resolves when everything that was asked for before is committed, and noted; rejects where that is not known. */
  async settle(): Promise<void> {
    const state = this.#state;
    if (state.kind !== "watched" && state.kind !== "held") throw new Error(`The store is ${state.kind}`);
    await this.#run(state.changes, nothing);
  }

  /** From now on writes wait. */
  hold(): void {
    if (this.#state.kind !== "watched") throw new Error(`The store is ${this.#state.kind}`);
    this.#state = { kind: "held", changes: this.#state.changes, waiting: [], bytes: 0 };
  }

  /** The data are in `store` now: those who wait, and all that comes after, go there. */
  switchTo(store: Store): void {
    if (this.#state.kind !== "held") throw new Error(`The store is ${this.#state.kind}`);
    this.#old = this.#store;
    this.#store = store;
    this.#become({ kind: "plain" });
  }

  #become(state: State): void {
    const waiting = this.#state.kind === "held" ? this.#state.waiting : [];
    this.#state = state;
    for (const go of waiting) go();
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

  commit(batch: Batch): Promise<CommitOutcome> {
    const state = this.#state;
    if (state.kind === "plain") return this.#store.commit(batch);
    if (state.kind === "watched") return this.#run(state.changes, batch);
    return this.#wait(bytesOf(batch), () => this.commit(batch));
  }

  async trim(log: LogId, upTo: number): Promise<void> {
    const state = this.#state;
    if (state.kind === "held" || state.kind === "refused")
      return this.#wait(bytesOf(nothing), () => this.trim(log, upTo));
    try {
      await this.#store.trim(log, upTo);
    } finally {
      // Also where it was rejected: it may have come half-way.
      if (state.kind === "watched") state.changes.trimmed(log);
    }
  }

  async #run(changes: Changes, batch: Batch): Promise<CommitOutcome> {
    try {
      const outcome = await this.#store.commit(batch);
      changes.committed(batch);
      return outcome;
    } catch (error) {
      changes.rejected(batch);
      throw error;
    }
  }

  #wait<T>(bytes: number, begin: () => Promise<T>): Promise<T> {
    const held = this.#state;
    if (held.kind === "refused") return Promise.reject(held.error);
    if (held.kind !== "held") return begin();
    if (held.bytes > 0 && held.bytes + bytes > this.#heldBytesMax)
      return Promise.reject(new StoreError("overloaded", `More than ${this.#heldBytesMax} bytes wait`));
    return new Promise((resolve, reject) => {
      held.bytes += bytes;
      held.waiting.push(() => begin().then(resolve, reject));
    });
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

  read(log: LogId, after: number, limit: PageLimit): Promise<Entry[]> {
    return this.#store.read(log, after, limit);
  }

  readBack(log: LogId, before: number, limit: PageLimit): Promise<Entry[]> {
    return this.#store.readBack(log, before, limit);
  }

  heads(logs: readonly LogId[]): Promise<number[]> {
    return this.#store.heads(logs);
  }

  find(log: LogId, producer: string, number: number): Promise<number | undefined> {
    return this.#store.find(log, producer, number);
  }

  positions(of: readonly CursorId[]): Promise<number[]> {
    return this.#store.positions(of);
  }

  readers(log: LogId, after: string, count: number): Promise<ReaderPosition[]> {
    return this.#store.readers(log, after, count);
  }

  records(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return this.#store.records(keys);
  }

  list(prefix: string, after: string, count: number): Promise<StoredRecord[]> {
    return this.#store.list(prefix, after, count);
  }

  // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state.kind === "held") this.refuse(new StoreError("closed", "The store is closed"));
    await Promise.all([this.#store.close(), this.#old?.close()]);
  }
}

const nothing: Batch = { appends: [], advances: [], puts: [] };
