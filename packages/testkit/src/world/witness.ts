import type { Batch, CommitOutcome, Store } from "@hongyan/core";
import { type LedgerEntry, readEntry, sameEntry } from "../ledger/entry.ts";
import { type Ledger, parseLog } from "../ledger/ledger.ts";
import type { Judge } from "./judge.ts";
import type { StoreObserver } from "./observed-store.ts";

const wholeLog = { count: 1_000_000, bytes: 1_000_000_000 };
const utf8 = new TextDecoder();

/** Keeps the ledger: what the store says it has committed, and after doubts what the disk really has. */
export class Witness implements StoreObserver {
  readonly #ledger: Ledger;
  readonly #judge: Judge;
  /** A store of its own over what is on the disk at this moment. */
  readonly #openProbe: () => Promise<Store>;
  /** Cursors that were committed, each counted once per commit. */
  cursorWrites = 0;
  /** Logs and member records that were ever to be written: those may be on the disk. */
  readonly #logs = new Set<string>();
  readonly #members = new Set<string>();

  constructor(ledger: Ledger, judge: Judge, openProbe: () => Promise<Store>) {
    this.#ledger = ledger;
    this.#judge = judge;
    this.#openProbe = openProbe;
  }

  attempted(batch: Batch): void {
    for (const { log } of batch.appends) this.#logs.add(log);
    for (const { key } of batch.puts) if (parseMember(key) !== undefined) this.#members.add(key);
  }

  committed(batch: Batch, outcome: CommitOutcome): void {
    this.cursorWrites += batch.advances.length;
    // Members first: the entry that lets somebody in is the first that it may read.
    batch.puts.forEach((put, i) => {
      if (outcome.puts[i] !== undefined && put.value !== undefined) this.#member(put.key, put.value);
    });
    batch.appends.forEach((append, i) => {
      const result = outcome.appends[i];
      const place = parseLog(append.log);
      if (result === undefined || place === undefined) return;
      const entry = readEntry(result.seq, append.body);
      if (result.status === "stored") this.#stored(append.log, place.domain, place.conversation, entry);
      else if (result.status === "duplicate") this.#judge.duplicate(place.domain, place.conversation, entry);
    });
  }

  failed(): Promise<void> {
    return this.recover();
  }

  /** Reads everything from the disk, lets the checkers compare, and takes in what is new. */
  async recover(): Promise<void> {
    const probe = await this.#openProbe();
    const keys = [...this.#members];
    const records = await probe.records(keys);
    records.forEach((record) => {
      if (record !== undefined) this.#member(record.key, record.value);
    });
    for (const log of this.#logs) {
      const place = parseLog(log);
      if (place === undefined) continue;
      const { domain, conversation } = place;
      const entries = (await probe.read(log, 0, wholeLog)).map(({ seq, body }) => readEntry(seq, body));
      this.#judge.recovered(domain, conversation, entries);
      for (const entry of entries.slice(this.#ledger.head(domain, conversation)))
        this.#stored(log, domain, conversation, entry);
    }
    await probe.close();
  }

  #stored(log: string, domain: string, conversation: string, entry: LedgerEntry): void {
    const known = this.#ledger.entry(domain, conversation, entry.seq);
    // Read from the disk before the store told of it.
    if (known !== undefined && sameEntry(known, entry)) return;
    this.#judge.stored(domain, conversation, entry);
    this.#ledger.append(log, entry);
  }

  #member(key: string, value: Uint8Array): void {
    const place = parseMember(key);
    if (place === undefined) return;
    const { since, until } = JSON.parse(utf8.decode(value)) as { since: number; until?: number };
    this.#ledger.setMember(place.domain, place.conversation, place.user, since, until);
  }
}

function parseMember(key: string): { domain: string; conversation: string; user: string } | undefined {
  const [domain, kind, conversation, user] = key.split("/");
  if (kind !== "member" || domain === undefined || conversation === undefined || user === undefined)
    return undefined;
  return { domain, conversation, user };
}
