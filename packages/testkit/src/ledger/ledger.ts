import { isSystemEntry, type LedgerEntry } from "./entry.ts";

/** A stretch of a conversation's log that a user may read. */
export interface Stay {
  readonly since: number;
  /** Infinity for who is still a member. */
  until: number;
}

/** What is known to be true of every conversation: filled from what the store has committed, never from the core. */
export class Ledger {
  readonly #logs = new Map<string, LedgerEntry[]>();
  readonly #stays = new Map<string, Stay[]>();

  static key(domain: string, conversation: string): string {
    return `${domain}/conversation/${conversation}`;
  }

  logs(): IterableIterator<[string, LedgerEntry[]]> {
    return this.#logs.entries();
  }

  /** Entries from seq 1 on. */
  log(domain: string, conversation: string): readonly LedgerEntry[] {
    return this.#logs.get(Ledger.key(domain, conversation)) ?? [];
  }

  entry(domain: string, conversation: string, seq: number): LedgerEntry | undefined {
    return this.log(domain, conversation)[seq - 1];
  }

  head(domain: string, conversation: string): number {
    return this.log(domain, conversation).length;
  }

  append(logKey: string, entry: LedgerEntry): void {
    const log = this.#logs.getOrInsertComputed(logKey, () => []);
    log.push(entry);
  }

  /** Unread by hand: what others have written after `read`, up to the head or the end of the user's stay. */
  unread(domain: string, conversation: string, user: string, read: number, until: number): number {
    let count = 0;
    for (const entry of this.log(domain, conversation)) {
      if (entry.seq > read && entry.seq <= until && entry.from !== user && !isSystemEntry(entry)) count++;
    }
    return count;
  }

  /** A committed member record: when the user came in, and the last seq it may read where it went. */
  setMember(
    domain: string,
    conversation: string,
    user: string,
    since: number,
    until: number | undefined,
  ): void {
    const key = `${Ledger.key(domain, conversation)} ${user}`;
    const stays = this.#stays.getOrInsertComputed(key, () => []);
    const last = stays.at(-1);
    if (last?.since === since) last.until = until ?? Number.POSITIVE_INFINITY;
    else stays.push({ since, until: until ?? Number.POSITIVE_INFINITY });
  }

  /** When the user was in the conversation; the last stay is what the server still lets it read. */
  stays(domain: string, conversation: string, user: string): readonly Stay[] {
    if (conversation.includes(":")) return conversation.split(":").includes(user) ? forever : [];
    return this.#stays.get(`${Ledger.key(domain, conversation)} ${user}`) ?? [];
  }
}

const forever: readonly Stay[] = [{ since: 1, until: Number.POSITIVE_INFINITY }];

export function parseLog(log: string): { domain: string; conversation: string } | undefined {
  const [domain, kind, conversation] = log.split("/");
  if (kind !== "conversation" || domain === undefined || conversation === undefined) return undefined;
  return { domain, conversation };
}
