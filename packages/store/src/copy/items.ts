/**
 * What a store holds, as items that can be taken out of one store and put into another exactly as they are: with
 * their seqs, keys and versions. Moving a store, exporting and importing a domain are made of these; the Store port
 * knows nothing of them.
 */
import type { CursorId, LogId, StoredRecord } from "@hongyan/core";

/** Who numbered an entry: the name, or where only that was kept, the first 16 bytes of its SHA-256. */
export type Producer = string | Uint8Array;

export interface EntryKey {
  readonly producer: Producer;
  readonly number: number;
}

export interface KeyedEntry {
  readonly seq: number;
  /** Milliseconds since 1970; 0 of an entry that was trimmed. */
  readonly time: number;
  readonly key: EntryKey | undefined;
  /** Undefined: it was trimmed, and only its key is left. */
  readonly body: Uint8Array | undefined;
}

/** How far a log goes. */
export interface LogMark {
  readonly log: LogId;
  readonly head: number;
  /** The highest seq that was trimmed. */
  readonly trimmed: number;
}

export interface ReaderMark {
  readonly log: LogId;
  readonly reader: string;
  readonly position: number;
}

/** Seqs above `after`, up to `upTo`. */
export interface EntryRange {
  readonly log: LogId;
  readonly after: number;
  readonly upTo: number;
}

/** A part of a range: all that there is of it up to `upTo`. Trimmed entries without a key are not there. */
export interface EntryPage {
  readonly entries: readonly KeyedEntry[];
  readonly upTo: number;
}

/** Takes everything out of a store. What is written meanwhile may or may not be seen. */
export interface CopySource {
  readonly epoch: string;
  /** Logs whose id begins with `prefix` and that have a head, in pages and in any order. */
  logs(prefix: string): AsyncIterable<readonly LogMark[]>;
  /** Cursors of logs whose id begins with `prefix`, likewise. */
  cursors(prefix: string): AsyncIterable<readonly ReaderMark[]>;
  /** Records whose key begins with `prefix`, in the order of bytes. */
  records(prefix: string): AsyncIterable<readonly StoredRecord[]>;
  /** Zeros where there is no such log. */
  marks(logs: readonly LogId[]): Promise<LogMark[]>;
  /**
   * A page of each range. Together they hold about `pageBytesMax`, so that the last ones may be empty, or part of
   * the range; the first one moves on in any case. Rejects with `damaged` where the log has lost entries.
   */
  entries(ranges: readonly EntryRange[]): Promise<EntryPage[]>;
  positions(of: readonly CursorId[]): Promise<number[]>;
  recordsOf(keys: readonly string[]): Promise<(StoredRecord | undefined)[]>;
}

/** `entries` follow what the target has of the log, and lead to `head`. */
export interface LogPart extends LogMark {
  readonly entries: readonly KeyedEntry[];
}

/** A record as it must become; without a value it must not be there. */
export interface RecordPart {
  readonly key: string;
  readonly version: number;
  readonly value: Uint8Array | undefined;
}

/** What is put in at once; about `pageBytesMax` at most, or one entry. */
export interface Part {
  readonly logs: readonly LogPart[];
  readonly cursors: readonly ReaderMark[];
  readonly records: readonly RecordPart[];
}

/** Puts items into a store of which nobody else makes use yet. */
export interface CopyTarget {
  /** How far each log was put in. */
  marks(logs: readonly LogId[]): Promise<LogMark[]>;
  /** All of the part or nothing. */
  write(part: Part): Promise<void>;
}

/** A page is about as large as a group commit: larger ones gain nothing. */
export const pageBytesMax = 4 * 1024 * 1024;
export const pageItemsMax = 4096;

/** What an item holds beside its body and names, about. */
export const itemBytes = 64;
