/**
 * The whole outside world of the core, on one page. The core has no other clock, randomness, disk or network:
 * the server gives it the real ones, the simulator seeded ones.
 */
import type { CloseName, Encoding, Frame, ProtocolError, SharedFrame, UnknownFrame } from "@hongyan/protocol";
import type { Subjects } from "./audience.ts";

/** Wall time. It may jump, backwards too: nothing that must be right is decided by it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `work` after everything that has already arrived was handled: the end of a tick, where batches close. */
  defer(work: () => void): void;
}

export interface Random {
  /** A fresh id: 22 characters of `[A-Za-z0-9_-]`, 128 bits, unguessable. */
  id(): string;
}

/** One line of the log of what happens; never message bodies or tokens. */
export interface Journal {
  info(event: string, details?: Record<string, unknown>): void;
  warn(event: string, details?: Record<string, unknown>): void;
}

// ── Connections ────────────────────────────────────────────────────────────────────────────────────────────────

/** One live transport, seen from the core. Frames are written in order; the transport flushes once per tick. */
export interface Connection {
  readonly encoding: Encoding;
  /** `websocket`, `tcp`, `poll`, `stream`: for journal and statistics. */
  readonly transport: string;
  /** Bytes written and not yet taken by the peer. */
  readonly bufferedBytes: number;
  /** Queues a frame. Never blocks, never throws; after `close` it does nothing. */
  write(frame: SharedFrame): void;
  /** Sends a `close` frame, flushes and ends the transport. */
  close(code: CloseName, retryAfterMs?: number): void;
}

/** What a transport tells the core about its connection. The transport calls `closed` exactly once, last. */
export interface Inbound {
  /** A frame of the peer, in the order of arrival. A body may share memory that is reused after the tick. */
  receive(frame: Frame | UnknownFrame): void;
  /** A command that could not be read while the stream is still good: it is answered with `error`. */
  reject(id: number, error: ProtocolError): void;
  /** `bufferedBytes` has fallen to 0 after it was above the outbox limit. */
  drained(): void;
  closed(): void;
}

/** The core's side of a new connection; the first frame must be `connect`. */
export interface Acceptor {
  accept(connection: Connection): Inbound;
}

/** Who a token speaks for. */
export interface Identity {
  readonly domain: string;
  readonly user: string;
  /** Milliseconds since 1970; the session ends then with `token_expired`. */
  readonly expiresAt: number;
}

export interface Authenticator {
  /** Rejects with `ProtocolError` `unauthorized` or `token_expired`. */
  verify(token: string): Promise<Identity>;
}

// ── Store ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Identity of a log: `domain/kind/name`. */
export type LogId = string;

/** One entry to be appended. */
export interface Append {
  readonly log: LogId;
  /**
   * Who numbers the entry, and the number: the idempotency key. (log, producer, number) names one entry for
   * ever. An empty producer: no key, every append is a new entry. Numbers usually rise by one, which is cheap to
   * store; any other order is right too.
   */
  readonly producer: string;
  readonly number: number;
  /** Milliseconds since 1970, kept with the entry and not part of its identity. */
  readonly time: number;
  /** Opaque. The same key with other bytes is a conflict. Must not change until the commit settles. */
  readonly body: Uint8Array;
  /** Index into `Batch.puts`: the entry lands only if that put lands. */
  readonly guard?: number;
}

/** Identity of a cursor: a reader's in a log. */
export interface CursorId {
  readonly log: LogId;
  readonly reader: string;
}

/** Moves a reader's cursor forward. Lower positions than the stored one change nothing: cursors never go back. */
export interface Advance extends CursorId {
  readonly position: number;
}

/** Writes a record; `value` undefined deletes it. */
export interface Put {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  /** Lands only if the record has this version; 0: only if there is none. Absent: always. */
  readonly expect?: number;
  /**
   * Lands only if the highest seq of the log is this, before the batch's own appends: for values that name the seq of
   * an entry of the same batch. The batch appends to the log.
   */
  readonly head?: { readonly log: LogId; readonly seq: number };
  /** Index of an earlier put of the same batch: lands only if that one lands. */
  readonly guard?: number;
}

/** What one group commit writes, of any number of logs, readers and records. */
export interface Batch {
  readonly appends: readonly Append[];
  readonly advances: readonly Advance[];
  readonly puts: readonly Put[];
  /**
   * Nothing holds it together but its logs, and guards that write nothing: a store may commit what is of different logs
   * apart, and where the commit is rejected, a part of it may be found later. Absent: all or nothing.
   */
  readonly inParts?: boolean;
}

/**
 * `stored`: the entry is new at `seq`. `duplicate`: the key was stored before, at `seq`, with the same body (or
 * its entry was trimmed since). `conflict`: the key is stored at `seq` with another body; nothing was written.
 * `refused`: the guard did not land; `seq` is 0.
 */
export interface AppendOutcome {
  readonly status: "stored" | "duplicate" | "conflict" | "refused";
  readonly seq: number;
  /** Time of the entry at `seq`; 0 where the entry was trimmed. */
  readonly time: number;
}

export interface CommitOutcome {
  /** One per append, in order. */
  readonly appends: readonly AppendOutcome[];
  /** One per put, in order: the new version (0 of a deletion), or undefined where it did not land. */
  readonly puts: readonly (number | undefined)[];
}

export interface Entry {
  readonly seq: number;
  readonly time: number;
  readonly body: Uint8Array;
}

export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
  /** From 1; rises with every put of the key. A record that was deleted begins at 1 again. */
  readonly version: number;
}

/** How much a read may return. At least one entry is returned where there is one, whatever its size. */
export interface PageLimit {
  readonly count: number;
  readonly bytes: number;
}

export interface ReaderPosition {
  readonly reader: string;
  readonly position: number;
}

/**
 * Durable state: logs, cursors, records. Every method is atomic; reads see everything committed before they were
 * called. A rejected promise of a read means "not now"; where the error's `code` is `damaged`, that entries in its way
 * are lost, which the store has told the journal: it never leaves them out. A rejected `commit` means that its outcome
 * is open: it may or may not be found later, whole; the keys of its appends make sending it again safe.
 */
export interface Store {
  /** Identity of this incarnation: other data, other epoch. */
  readonly epoch: string;

  /**
   * Commits the batch, all or nothing (but see `inParts`), durably: resolves only after it survives a crash (G1). Appends of one log
   * are numbered in batch order, contiguously from the log's head + 1 (G3); duplicates take no number (G2). A
   * batch may hold the same key twice. A guard is looked at before the idempotency key. Concurrent commits are
   * allowed; they take effect one after another. An empty batch changes nothing, and is rejected where others would be.
   */
  commit(batch: Batch): Promise<CommitOutcome>;

  /** Entries with `seq > after`, ascending. */
  read(log: LogId, after: number, limit: PageLimit): Promise<Entry[]>;
  /** Entries with `seq < before`, descending. */
  readBack(log: LogId, before: number, limit: PageLimit): Promise<Entry[]>;
  /** The highest seq of each log, 0 for an empty one. */
  heads(logs: readonly LogId[]): Promise<number[]>;
  /** The seq that (log, producer, number) was stored at, or undefined. */
  find(log: LogId, producer: string, number: number): Promise<number | undefined>;
  /** Forgets entries with `seq <= upTo`. Heads, cursors and idempotency keys stay. */
  trim(log: LogId, upTo: number): Promise<void>;

  /** The position of each cursor, 0 where there is none. */
  positions(of: readonly CursorId[]): Promise<number[]>;
  /** Cursors of a log with `reader > after` in byte order, ascending. */
  readers(log: LogId, after: string, count: number): Promise<ReaderPosition[]>;

  /** The record of each key, undefined where there is none. */
  records(keys: readonly string[]): Promise<(StoredRecord | undefined)[]>;
  /** Records whose key starts with `prefix` and is greater than `after` in byte order, ascending. */
  list(prefix: string, after: string, count: number): Promise<StoredRecord[]>;

  /** Resolves once everything is released; afterwards every call is rejected. */
  close(): Promise<void>;
}

// ── Broker ─────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Carries events between nodes (and within one). Best effort by contract: an event may be lost, doubled, late or
 * out of order. Everything it carries is a hint about committed state, and cursors repair what it does not bring.
 */
export interface Broker<E> {
  /**
   * Hands `event` to the subscribers of each subject, on every node. An array is not changed after it was published, so
   * that what was found out about it may be kept; an `Audience` says what has changed.
   */
  publish(subjects: Subjects, event: E): void;
  /**
   * At most one subscription per subject and node. What other nodes publish may not find it at once: the promise
   * resolves when it does, and never rejects. Undefined: it does now.
   */
  subscribe(subject: string, receive: (event: E) => void): Promise<void> | undefined;
  unsubscribe(subject: string): void;
}
