import type { Clock, ConversationRecord, Storage, StorageChange } from "../ports.ts";

const retryDelayMsFirst = 500;
const retryDelayMsMax = 30_000;

/**
 * The one writer of the storage. Changes are committed in order, one commit at a time; what comes meanwhile is
 * merged into the next one (group commit: a burst costs a few commits, not one each). A commit that fails is
 * tried again with the same change until it succeeds; nothing after it overtakes it.
 */
export class Ledger {
  readonly #storage: Storage;
  readonly #clock: Clock;
  /** Told of every change once it is committed, before those who wait for it. */
  readonly #committed: (change: StorageChange) => void;
  readonly #failed: (error: unknown) => void;
  #next: PendingCommit | undefined;
  #isWriting = false;
  #isScheduled = false;
  #isClosed = false;
  #cancelRetry: (() => void) | undefined;
  /** Who waits for `settled`. */
  readonly #idle = new Set<() => void>();

  constructor(
    storage: Storage,
    clock: Clock,
    committed: (change: StorageChange) => void,
    failed: (error: unknown) => void,
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#committed = committed;
    this.#failed = failed;
  }

  /** Queues `change`; `done` is called once it is committed. */
  write(change: StorageChange, done?: () => void): void {
    if (this.#isClosed) return;
    this.#next ??= new PendingCommit();
    this.#next.add(change, done);
    if (this.#isWriting || this.#isScheduled) return;
    // At the end of the tick, so that everything of one tick is one commit.
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (!this.#isWriting && !this.#isClosed) void this.#run();
    });
  }

  /** Resolves when everything written so far is committed, or the ledger was closed. */
  settled(): Promise<void> {
    if (this.#isClosed || (this.#next === undefined && !this.#isWriting)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.add(resolve);
      this.write({ durable: false }, () => {
        this.#idle.delete(resolve);
        resolve();
      });
    });
  }

  /** Writes nothing more. A commit under way may still take effect. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  async #run(): Promise<void> {
    this.#isWriting = true;
    let failures = 0;
    while (this.#next !== undefined && !this.#isClosed) {
      const pending: PendingCommit = this.#next;
      this.#next = undefined;
      const change = pending.change();
      while (!pending.isEmpty) {
        try {
          await this.#storage.commit(change);
          failures = 0;
          break;
        } catch (error) {
          if (this.#isClosed) break;
          this.#failed(error);
          failures++;
          await this.#pause(Math.min(retryDelayMsMax, retryDelayMsFirst * 2 ** (failures - 1)));
          if (this.#isClosed) break;
        }
      }
      if (this.#isClosed) break;
      if (!pending.isEmpty) this.#committed(change);
      for (const done of pending.waiting) done();
    }
    this.#isWriting = false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(ms, resolve);
      this.#cancelRetry = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Changes of one commit. Of what is replaced as a whole only the last version is kept. */
class PendingCommit {
  readonly waiting: (() => void)[] = [];
  /** Nothing to write: it only waits its turn. */
  isEmpty = true;
  #durable = false;
  #reset = false;
  #installation: StorageChange["installation"];
  readonly #conversations = new Map<string, ConversationRecord>();
  readonly #messages: NonNullable<StorageChange["messages"]>[] = [];
  readonly #outbox: NonNullable<StorageChange["outbox"]>[] = [];
  readonly #stored: NonNullable<StorageChange["stored"]>[] = [];
  readonly #discarded: NonNullable<StorageChange["discarded"]>[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #chains = new Map<string, string>();

  add(change: StorageChange, done: (() => void) | undefined): void {
    if (change.durable !== false) this.#durable = true;
    if (change.durable !== false || change.conversations !== undefined) this.isEmpty = false;
    if (change.reset === true) {
      // What was gathered of the old data is forgotten with it.
      this.#reset = true;
      this.#conversations.clear();
      this.#messages.length = 0;
      this.#chains.clear();
    }
    if (change.installation !== undefined) this.#installation = change.installation;
    for (const record of change.conversations ?? []) this.#conversations.set(record.conversation, record);
    if (change.messages !== undefined) this.#messages.push(change.messages);
    if (change.outbox !== undefined) this.#outbox.push(change.outbox);
    if (change.stored !== undefined) this.#stored.push(change.stored);
    if (change.discarded !== undefined) this.#discarded.push(change.discarded);
    for (const [conversation, next] of change.numbers ?? []) this.#numbers.set(conversation, next);
    for (const [conversation, id] of change.chains ?? []) this.#chains.set(conversation, id);
    if (done !== undefined) this.waiting.push(done);
  }

  change(): StorageChange {
    return {
      durable: this.#durable,
      reset: this.#reset || undefined,
      installation: this.#installation,
      conversations: orNothing([...this.#conversations.values()]),
      messages: orNothing(this.#messages.flat()),
      outbox: orNothing(this.#outbox.flat()),
      stored: orNothing(this.#stored.flat()),
      discarded: orNothing(this.#discarded.flat()),
      numbers: orNothing([...this.#numbers]),
      chains: orNothing([...this.#chains]),
    };
  }
}

function orNothing<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}
