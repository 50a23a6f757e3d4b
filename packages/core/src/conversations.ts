import { directConversationUsers } from "@hongyan/protocol";
import { catchUp } from "./catch-up.ts";
import { Conversation } from "./conversation.ts";
import { conversationLog, parseReader, recordKeys } from "./keys.ts";
import type { LogId, ReaderPosition, Store, StoredRecord } from "./ports.ts";
import { type ConversationRecord, decodeRecord, type MemberRecord } from "./record.ts";

/** How many rows one read of members or cursors brings. */
const pageRows = 1000;
/** What is further behind than this is read anew as a whole. */
const catchUpMax = 2000;

/** The conversations that are in use on this node, loaded when first asked for and evicted when idle. */
export class Conversations {
  readonly #store: Store;
  readonly #residentMax: number;
  /** Whether other nodes write to the store as well: what is in memory may be behind it. */
  #isShared = false;
  readonly #resident = new Map<string, Conversation>();
  readonly #loading = new Map<string, Promise<Conversation | undefined>>();

  constructor(store: Store, residentMax: number) {
    this.#store = store;
    this.#residentMax = residentMax;
  }

  /** From now on other nodes may write to the store as well. */
  share(): void {
    this.#isShared = true;
  }

  get size(): number {
    return this.#resident.size;
  }

  /** The conversation if it is in memory: the way of the hot path. */
  resident(domain: string, id: string): Conversation | undefined {
    const conversation = this.#resident.get(conversationLog(domain, id));
    if (conversation !== undefined) conversation.touched = true;
    return conversation;
  }

  /**
   * The conversation, or undefined where there is none. Callers that wait for the same one continue in the order
   * in which they asked, before anything that arrives later: that keeps a sender's messages in order (G3).
   */
  load(domain: string, id: string): Promise<Conversation | undefined> {
    const resident = this.resident(domain, id);
    if (resident !== undefined) return Promise.resolve(resident);
    const key = conversationLog(domain, id);
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#read(domain, id).then(
        (conversation) => {
          // Forgotten while it was read: what was read may be old, and two copies of one conversation must not live.
          if (this.#loading.get(key) !== loading) return this.load(domain, id);
          this.#loading.delete(key);
          if (conversation !== undefined) this.#resident.set(key, conversation);
          return conversation;
        },
        (error) => {
          if (this.#loading.get(key) === loading) this.#loading.delete(key);
          throw error;
        },
      );
      this.#loading.set(key, loading);
    }
    return loading;
  }

  /** The conversation if it is in memory, for what is only told of: that is no use of it. */
  peek(domain: string, id: string): Conversation | undefined {
    return this.#resident.get(conversationLog(domain, id));
  }

  /**
   * As the store has them at this moment, in one question for all of them: before anything is refused, listed or
   * decided on what is in memory. Where no other node writes, memory is never behind.
   */
  async current(domain: string, ids: readonly string[]): Promise<(Conversation | undefined)[]> {
    const loaded = await Promise.all(ids.map((id) => this.load(domain, id)));
    if (!this.#isShared) return loaded;
    const heads = await this.#store.heads(ids.map((id) => conversationLog(domain, id)));
    return Promise.all(
      loaded.map((conversation, at) => conversation && this.reach(conversation, heads[at] ?? 0)),
    );
  }

  /** The conversation if the user may read something in it; asks the store before it says no. */
  async readable(domain: string, id: string, user: string): Promise<Conversation | undefined> {
    let conversation = await this.load(domain, id);
    if (conversation?.reader(user) === undefined) [conversation] = await this.current(domain, [id]);
    return conversation?.reader(user) === undefined ? undefined : conversation;
  }

  /**
   * The conversation with everything up to `seq` taken into account, which is committed: what lies between is read.
   * Another object where the given one was forgotten; undefined where the log does not have it.
   */
  async reach(conversation: Conversation, seq: number): Promise<Conversation | undefined> {
    const { domain, id } = conversation;
    let current: Conversation | undefined = conversation;
    if (current.head + catchUpMax < seq) this.evict(current);
    let isFresh = false;
    for (;;) {
      if (!current.isCurrent) {
        current = await this.load(domain, id);
        if (current === undefined) return undefined;
        isFresh = true;
      }
      if (current.head >= seq) return current;
      if (await this.#catchUp(current)) continue;
      // What follows its head is gone: it is read anew as a whole, once.
      if (isFresh) return undefined;
      this.evict(current);
    }
  }

  /**
   * The highest seq of each of these logs: from memory where no other node writes. There it may miss what is stored at
   * this very moment, and published in the next.
   */
  async heads(logs: readonly LogId[]): Promise<number[]> {
    if (this.#isShared) return this.#store.heads(logs);
    const heads: number[] = [];
    const missing: number[] = [];
    for (let at = 0; at < logs.length; at++) {
      const head = this.#resident.get(logs[at] as LogId)?.head;
      if (head === undefined) missing.push(at);
      heads.push(head ?? 0);
    }
    if (missing.length === 0) return heads;
    const stored = await this.#store.heads(missing.map((at) => logs[at] as LogId));
    missing.forEach((at, index) => {
      heads[at] = stored[index] ?? 0;
    });
    return heads;
  }

  /** Takes all stored positions into account. */
  async readPositions(conversation: Conversation): Promise<void> {
    takePositions(conversation, await this.#allCursors(conversation.log));
  }

  #catchUp(conversation: Conversation): Promise<boolean> {
    conversation.catchingUp ??= catchUp(this.#store, conversation).finally(() => {
      conversation.catchingUp = undefined;
    });
    return conversation.catchingUp;
  }

  /** Forgets everything: after a failed commit nothing in memory is known to be true. */
  clear(): void {
    for (const conversation of this.#resident.values()) conversation.isCurrent = false;
    this.#resident.clear();
    this.#loading.clear();
  }

  /** The conversation was just created: a read that began before does not know it and begins again. */
  created(domain: string, id: string): void {
    this.#loading.delete(conversationLog(domain, id));
  }

  evict(conversation: Conversation): void {
    conversation.isCurrent = false;
    if (this.#resident.get(conversation.log) === conversation) this.#resident.delete(conversation.log);
  }

  /** Evicts what was not touched since the last sweep, while there are more than allowed. */
  sweep(): void {
    let excess = this.#resident.size - this.#residentMax;
    if (excess <= 0) return;
    for (const conversation of this.#resident.values()) {
      if (conversation.touched || conversation.busy > 0) conversation.touched = false;
      else {
        this.evict(conversation);
        if (--excess <= 0) return;
      }
    }
  }

  async #read(domain: string, id: string, tries = 3): Promise<Conversation | undefined> {
    const log = conversationLog(domain, id);
    // The head first: of everything up to it the members are known then.
    const [head = 0] = await this.#store.heads([log]);
    const [[record], members, cursors] = await Promise.all([
      this.#store.records([recordKeys.conversation(domain, id)]),
      this.#allMembers(domain, id),
      this.#allCursors(log),
    ]);
    // Made in between, by another node: what was read before it was made knows no members.
    if (record !== undefined && head === 0 && tries > 0) return this.#read(domain, id, tries - 1);
    const conversation =
      record === undefined ? unwrittenDirect(domain, id) : written(domain, id, record, head);
    if (conversation === undefined) return undefined;
    for (const { key, value, version } of members) {
      conversation.setMember(key.slice(key.lastIndexOf("/") + 1), decodeRecord<MemberRecord>(value), version);
    }
    takePositions(conversation, cursors);
    // Who wrote what is not known without reading the log: until they write again, everybody may want receipts.
    for (const member of conversation.people.values()) member.lastSent = head;
    return conversation;
  }

  async #allMembers(domain: string, id: string): Promise<StoredRecord[]> {
    return allPages(
      (after) => this.#store.list(recordKeys.members(domain, id), after, pageRows),
      (row) => row.key,
    );
  }

  async #allCursors(log: string): Promise<ReaderPosition[]> {
    return allPages(
      (after) => this.#store.readers(log, after, pageRows),
      (row) => row.reader,
    );
  }
}

/** Everything that a paged read has, page after page. */
export async function allPages<T>(
  read: (after: string) => Promise<T[]>,
  key: (row: T) => string,
): Promise<T[]> {
  const all: T[] = [];
  let after = "";
  for (;;) {
    const page = await read(after);
    for (const row of page) all.push(row);
    const last = page.at(-1);
    if (last === undefined || page.length < pageRows) return all;
    after = key(last);
  }
}

function takePositions(conversation: Conversation, cursors: readonly ReaderPosition[]): void {
  for (const { reader, position } of cursors) {
    const { user, isRead } = parseReader(reader);
    const member = conversation.people.get(user);
    if (member !== undefined) conversation.raise(member, isRead ? "read" : "delivered", position);
  }
}

function written(domain: string, id: string, record: StoredRecord, head: number): Conversation {
  const about = decodeRecord<ConversationRecord>(record.value);
  return new Conversation(domain, id, { ...about, name: about.name }, record.version, head);
}

/** A direct conversation exists for its two users before anybody has written: the first send stores it. */
function unwrittenDirect(domain: string, id: string): Conversation | undefined {
  const users = directConversationUsers(id);
  if (users === undefined) return undefined;
  const about = { kind: "direct", name: undefined, open: false, createdAt: 0, by: "" } as const;
  const conversation = new Conversation(domain, id, about, 0, 0);
  for (const user of new Set(users)) conversation.setMember(user, { role: "member", since: 1 }, 0);
  return conversation;
}
