import { ProtocolError } from "@hongyan/protocol";
import type {
  Advance,
  Append,
  AppendOutcome,
  Batch,
  Clock,
  CommitOutcome,
  Journal,
  Put,
  Store,
} from "./ports.ts";
import type { Statistics } from "./statistics.ts";

/** Who waits for an append; never told of a `refused` one but by `removed`. One object per send, no closures: this is the hot path. */
export interface AppendTicket {
  /** The member who sends; empty for the backend, which need not be a member. */
  readonly sender: string;
  committed(outcome: AppendOutcome): void;
  /** Whether it took effect is open. */
  failed(): void;
  /** The sender was removed before this could be committed, here or on another node: nothing was stored now. */
  removed(): void;
}

/** Who waits for cursors. */
export interface AdvanceTicket {
  committed(): void;
  failed(): void;
}

/** Records, and entries that depend on them. Guards count from the first put of the transaction. */
export interface Writes {
  readonly puts: readonly Put[];
  readonly appends: readonly Append[];
  /** Members of `log` who are removed: what they have sent and is not committed yet is refused. */
  readonly leaving?: { readonly log: string; readonly users: readonly string[] } | undefined;
}

/**
 * A rare write. It is built when its commit begins: no other commit of this node is under way then, so that the next
 * seq of a conversation is its head + 1 where no other node writes, and its entries come before those of simple
 * appends.
 */
interface Transaction {
  readonly build: () => Writes;
  /** Runs before any later entry is told of, so that a conversation hears of its entries in the order of seq. */
  readonly committed: (outcome: CommitOutcome) => void;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Is told how a commit ended, before those who wait for it; calls `resume` when the store is back. */
export interface CommitWatcher {
  /** The record of this key was written. */
  written(key: string): void;
  failed(): void;
}

/** What collects until the commit before it is done. */
class Gathering implements Batch {
  readonly appends: Append[] = [];
  readonly advances: Advance[] = [];
  readonly puts: Put[] = [];
  readonly appendTickets: AppendTicket[] = [];
  readonly advanceTickets: AdvanceTicket[] = [];
  readonly transactions: Transaction[] = [];
  /** Those whose senders this very commit removes: told so once it is done. */
  readonly removedTickets: AppendTicket[] = [];
  /** Records that must not exist: the index of the put that sees to it. */
  readonly #absent = new Map<string, number>();
  bytes = 0;
  /** Until an append brings records that belong to it. */
  inParts = true;

  /** The guard of appends that must not land where there is a record of this key: a deletion that finds nothing. */
  guardOf(key: string): number {
    let guard = this.#absent.get(key);
    if (guard === undefined) {
      guard = this.puts.push({ key, value: undefined, expect: 0 }) - 1;
      this.#absent.set(key, guard);
    }
    return guard;
  }

  /** Takes out what removed members have sent; returns who waits for it. */
  refuse({ log, users }: { readonly log: string; readonly users: readonly string[] }): AppendTicket[] {
    const refused: AppendTicket[] = [];
    let kept = 0;
    for (let i = 0; i < this.appends.length; i++) {
      const append = this.appends[i] as Append;
      const ticket = this.appendTickets[i] as AppendTicket;
      if (append.log === log && users.includes(ticket.sender)) {
        refused.push(ticket);
        continue;
      }
      this.appends[kept] = append;
      this.appendTickets[kept++] = ticket;
    }
    this.appends.length = kept;
    this.appendTickets.length = kept;
    return refused;
  }

  get isEmpty(): boolean {
    return (
      this.appends.length === 0 &&
      this.advances.length === 0 &&
      this.transactions.length === 0 &&
      this.puts.length === 0
    );
  }
}

/**
 * Group commit: everything that sessions want written during a tick, and while the previous commit is on its way
 * to the disk, becomes one commit of the store. Answers leave only afterwards (G1), in the order of the requests.
 */
export class Committer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #statistics: Statistics;
  readonly #watcher: CommitWatcher;
  #next = new Gathering();
  #inFlightBytes = 0;
  #heldBytes = 0;
  #committing = false;
  #beganAtMs = 0;
  #deferred = false;
  #idle: (() => void)[] = [];
  /** After a failed commit, until the store is back: everything fails at once. */
  #isSuspended = false;
  /** Rises with every failed commit: what was accepted under an older one may not have been stored. */
  generation = 0;

  constructor(store: Store, clock: Clock, journal: Journal, statistics: Statistics, watcher: CommitWatcher) {
    this.#store = store;
    this.#clock = clock;
    this.#journal = journal;
    this.#statistics = statistics;
    this.#watcher = watcher;
  }

  /** Bytes that wait for the store: held, gathered, and being committed. */
  get waitingBytes(): number {
    return this.#heldBytes + this.#next.bytes + this.#inFlightBytes;
  }

  /** Counts a message that waits for a read before it can be appended; `release` it with the same size. */
  hold(bodyBytes: number): void {
    this.#heldBytes += bodyBytes + entryOverheadBytes;
  }

  release(bodyBytes: number): void {
    this.#heldBytes -= bodyBytes + entryOverheadBytes;
  }

  /**
   * `puts` land in the same commit, whether or not the entry turns out to be a duplicate. Where there is a record
   * `unless` at the moment of the commit, the entry does not land, and the ticket is told `removed`.
   */
  append(append: Append, ticket: AppendTicket, puts?: readonly Put[], unless?: string): void {
    if (this.#isSuspended) return ticket.failed();
    const next = this.#next;
    next.appends.push(unless === undefined ? append : { ...append, guard: next.guardOf(unless) });
    next.appendTickets.push(ticket);
    next.bytes += append.body.length + entryOverheadBytes;
    if (puts !== undefined) {
      next.inParts = false;
      for (const put of puts) next.puts.push(put);
    }
    this.#schedule();
  }

  advance(advances: readonly Advance[], ticket: AdvanceTicket): void {
    if (this.#isSuspended) return ticket.failed();
    for (const advance of advances) this.#next.advances.push(advance);
    this.#next.advanceTickets.push(ticket);
    this.#next.bytes += advances.length * entryOverheadBytes;
    this.#schedule();
  }

  /** Rejects if `build` throws or the commit fails. */
  transact(
    build: () => Writes,
    committed: (outcome: CommitOutcome) => void = ignore,
  ): Promise<CommitOutcome> {
    if (this.#isSuspended) return Promise.reject(new ProtocolError("unavailable", undefined, 1000));
    return new Promise((resolve, reject) => {
      this.#next.transactions.push({ build, committed, resolve, reject });
      this.#schedule();
    });
  }

  /** The store takes commits again. */
  resume(): void {
    this.#isSuspended = false;
    this.generation++;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (!this.#committing && this.#next.isEmpty) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#deferred || this.#committing) return;
    this.#deferred = true;
    this.#clock.defer(this.#commit);
  }

  readonly #commit = (): void => {
    this.#deferred = false;
    if (this.#committing || this.#next.isEmpty) return;
    const batch = this.#next;
    this.#next = new Gathering();
    const built = buildTransactions(batch.transactions);
    for (const { writes } of built) {
      if (writes.leaving === undefined) continue;
      // One by one: as arguments of one call, as many as fit into a commit would overflow the stack.
      for (const ticket of batch.refuse(writes.leaving)) batch.removedTickets.push(ticket);
    }
    this.#committing = true;
    this.#beganAtMs = this.#clock.now();
    this.#inFlightBytes = batch.bytes;
    const whole = built.length === 0 ? batch : joined(built, batch);
    this.#store.commit(whole).then(
      (outcome) => {
        this.#statistics.commits++;
        // A clock that jumped back meanwhile took no time.
        this.#statistics.commitSeconds += Math.max(0, this.#clock.now() - this.#beganAtMs) / 1000;
        for (let i = 0; i < whole.puts.length; i++)
          if (outcome.puts[i] !== undefined) this.#watcher.written((whole.puts[i] as Put).key);
        this.#settle(batch, built, outcome);
        this.#finish();
      },
      (error: unknown) => {
        this.#statistics.commitFailures++;
        this.#journal.warn("commit failed", { error: String(error) });
        this.generation++;
        this.#isSuspended = true;
        // What gathered meanwhile was checked against a state that is no longer known: it fails as well.
        const waiting = this.#next;
        this.#next = new Gathering();
        this.#watcher.failed();
        fail(batch, error);
        fail(waiting, error);
        this.#finish();
      },
    );
  };

  #settle(batch: Gathering, built: readonly Built[], outcome: CommitOutcome): void {
    let append = 0;
    let put = 0;
    for (const { transaction, writes } of built) {
      const appendEnd = append + writes.appends.length;
      const putEnd = put + writes.puts.length;
      const own = {
        appends: outcome.appends.slice(append, appendEnd),
        puts: outcome.puts.slice(put, putEnd),
      };
      transaction.committed(own);
      // What came while this commit was under way was let in by the members of before.
      if (writes.leaving !== undefined)
        for (const ticket of this.#next.refuse(writes.leaving)) ticket.removed();
      transaction.resolve(own);
      append = appendEnd;
      put = putEnd;
    }
    for (let i = 0; i < batch.appendTickets.length; i++) {
      const ticket = batch.appendTickets[i] as AppendTicket;
      const result = outcome.appends[append + i] as AppendOutcome;
      if (result.status !== "refused") {
        ticket.committed(result);
        continue;
      }
      ticket.removed();
      // What its sender has put behind it was to follow it.
      const { log } = batch.appends[i] as Append;
      for (const later of this.#next.refuse({ log, users: [ticket.sender] })) later.removed();
    }
    for (const ticket of batch.advanceTickets) ticket.committed();
    for (const ticket of batch.removedTickets) ticket.removed();
  }

  #finish(): void {
    this.#committing = false;
    this.#inFlightBytes = 0;
    // Without waiting for the end of the tick: what gathered during the commit has waited long enough.
    if (!this.#next.isEmpty) this.#commit();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** What an append or a cursor costs in memory beside its body, roughly. */
const entryOverheadBytes = 200;

function ignore(): void {}

interface Built {
  readonly transaction: Transaction;
  readonly writes: Writes;
}

/** A transaction that cannot be built is refused alone. */
function buildTransactions(transactions: readonly Transaction[]): Built[] {
  const built: Built[] = [];
  for (const transaction of transactions) {
    try {
      built.push({ transaction, writes: transaction.build() });
    } catch (error) {
      transaction.reject(error);
    }
  }
  return built;
}

function joined(built: readonly Built[], batch: Batch): Batch {
  const puts: Put[] = [];
  const appends: Append[] = [];
  for (const { writes } of built) {
    const first = puts.length;
    for (const put of writes.puts)
      puts.push(put.guard === undefined ? put : { ...put, guard: put.guard + first });
    for (const append of writes.appends)
      appends.push(append.guard === undefined ? append : { ...append, guard: append.guard + first });
  }
  const shift = puts.length;
  for (const append of batch.appends)
    appends.push(append.guard === undefined ? append : { ...append, guard: append.guard + shift });
  return {
    appends,
    advances: batch.advances,
    puts: [...puts, ...batch.puts],
  };
}

function fail(batch: Gathering, error: unknown): void {
  for (const ticket of batch.appendTickets) ticket.failed();
  for (const ticket of batch.removedTickets) ticket.failed();
  for (const ticket of batch.advanceTickets) ticket.failed();
  for (const transaction of batch.transactions) transaction.reject(error);
}
