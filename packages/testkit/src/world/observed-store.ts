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

export interface StoreObserver {
  /** A commit is attempted; its outcome may never be known. */
  attempted(batch: Batch): void;
  committed(batch: Batch, outcome: CommitOutcome): void;
  /** A commit was rejected: what it left behind must be read. */
  failed(): Promise<void>;
}

/** The production store, looked at from outside. Between it and the node stand only planted bugs. */
export class ObservedStore implements Store {
  readonly #store: Store;
  readonly #observer: StoreObserver;

  constructor(store: Store, observer: StoreObserver) {
    this.#store = store;
    this.#observer = observer;
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  async commit(batch: Batch): Promise<CommitOutcome> {
    this.#observer.attempted(batch);
    let outcome: CommitOutcome;
    try {
      outcome = await this.#store.commit(batch);
    } catch (error) {
      await this.#observer.failed();
      throw error;
    }
    this.#observer.committed(batch, outcome);
    return outcome;
  }

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
  trim(log: LogId, upTo: number): Promise<void> {
    return this.#store.trim(log, upTo);
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
  close(): Promise<void> {
    return this.#store.close();
  }
}
