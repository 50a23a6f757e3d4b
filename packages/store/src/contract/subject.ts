import type { Advance, Append, AppendOutcome, Batch, CommitOutcome, Entry, Put, Store } from "@hongyan/core";

/** A store under test. */
export interface Subject {
  readonly store: Store;
  /** Closes the store and opens the same data anew; absent where the store is not durable. */
  reopen?(): Promise<Store>;
  /** Closes the store and removes its data. */
  dispose(): Promise<void>;
}

export type OpenStore = () => Promise<Subject>;

/** Runs `work` with a fresh store. */
export async function withStore(
  open: OpenStore,
  work: (store: Store, subject: Subject) => Promise<void>,
): Promise<void> {
  const subject = await open();
  try {
    await work(subject.store, subject);
  } finally {
    await subject.dispose();
  }
}

export function batch(parts: Partial<Batch>): Batch {
  return { appends: parts.appends ?? [], advances: parts.advances ?? [], puts: parts.puts ?? [] };
}

export function append(
  log: string,
  producer: string,
  number: number,
  body: string,
  more: Partial<Append> = {},
): Append {
  return { log, producer, number, time: 1000 + number, body: bytes(body), ...more };
}

export function commitAppends(store: Store, ...appends: Append[]): Promise<CommitOutcome> {
  return store.commit(batch({ appends }));
}

export async function commitAppend(store: Store, one: Append): Promise<AppendOutcome> {
  const { appends } = await commitAppends(store, one);
  return appends[0] as AppendOutcome;
}

export function commitAdvances(store: Store, ...advances: Advance[]): Promise<CommitOutcome> {
  return store.commit(batch({ advances }));
}

export async function commitPuts(store: Store, ...puts: Put[]): Promise<readonly (number | undefined)[]> {
  return (await store.commit(batch({ puts }))).puts;
}

export const everything = { count: 1_000_000, bytes: 1_000_000_000 };

/** `seq:body` of each entry. */
export function shown(entries: readonly Entry[]): string[] {
  return entries.map(({ seq, body }) => `${seq}:${text(body)}`);
}

export async function bodies(store: Store, log: string): Promise<string[]> {
  return (await store.read(log, 0, everything)).map(({ body }) => text(body));
}

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function text(value: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(value);
}

/** Ids that break a careless key: separators, escapes, prefixes of one another, bytes that sort oddly, no bytes. */
export const hostile = [
  "",
  "a",
  "a/",
  "a/b",
  "a%2Fb",
  "a~b",
  "a\u0000",
  "a\u0000b",
  "\u0000",
  "%",
  "~",
  "\u007f",
  "\u0080",
  "é",
  "鸿雁",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
  "x".repeat(3000),
];
