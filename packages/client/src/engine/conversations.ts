import { directConversationUsers, type FrameNamed, limits } from "@hongyan/protocol";
import type { Message } from "../api.ts";
import type { Clock, ConversationRecord, StorageChange } from "../ports.ts";
import {
  isSystem,
  newRecord,
  withItem,
  withMessage,
  withoutMembership,
  withPeerReceipt,
  withRead,
} from "./conversation-record.ts";
import type { Requests } from "./requests.ts";

/** Questions about single conversations are collected for so long. */
const refreshDelayMs = 100;
const retryDelayMs = 2_000;

/** What the conversations need from the engine. */
export interface ConversationsSurroundings {
  readonly clock: Clock;
  readonly requests: Requests;
  isConnected(): boolean;
  user(): string | undefined;
  write(change: StorageChange): void;
  /** The server has described a conversation. */
  described(item: FrameNamed<"conversation">, record: ConversationRecord): void;
  /** The server does not list a conversation that was asked for. */
  unlisted(conversation: string): void;
}

/** What is known of every conversation, and when the server is asked again. */
export class Conversations {
  readonly #around: ConversationsSurroundings;
  readonly #records = new Map<string, ConversationRecord>();
  readonly #stale = new Set<string>();
  #cancelTimer: (() => void) | undefined;

  constructor(around: ConversationsSurroundings) {
    this.#around = around;
  }

  restore(records: readonly ConversationRecord[]): void {
    for (const record of records) this.#records.set(record.conversation, record);
  }

  forget(): void {
    this.#records.clear();
    this.#stale.clear();
  }

  get(conversation: string): ConversationRecord | undefined {
    return this.#records.get(conversation);
  }

  values(): Iterable<ConversationRecord> {
    return this.#records.values();
  }

  /** The record, made where the conversation is new here. */
  ensure(conversation: string): ConversationRecord {
    const known = this.#records.get(conversation);
    if (known !== undefined) return known;
    const record = newRecord(conversation);
    this.#records.set(conversation, record);
    return record;
  }

  /** A `conversation` frame, pushed or asked for. */
  describe(item: FrameNamed<"conversation">): void {
    const { record, recount } = withItem(this.ensure(item.conversation), item);
    this.#put(record);
    this.#around.described(item, record);
    if (recount) this.refresh(item.conversation, retryDelayMs);
  }

  /** Entries that were handed over; returns the record to be written with them. */
  extend(conversation: string, messages: readonly Message[]): ConversationRecord {
    const user = this.#around.user();
    let record = this.ensure(conversation);
    for (const message of messages) {
      record = withMessage(record, message, user);
      // Names, roles and numbers of members have changed: the server says to what.
      if (isSystem(message.messageType)) {
        if (endsMembership(message, user)) record = withoutMembership(record);
        this.refresh(conversation);
      }
    }
    if (
      record.role === "none" &&
      record.kind === "group" &&
      messages.some(({ messageType }) => !isSystem(messageType))
    )
      this.refresh(conversation);
    this.#records.set(conversation, record);
    return record;
  }

  /** Sets the read position. `unread`: the count after it, where it is known here. Returns the new position. */
  read(conversation: string, seq: number, unread: number | undefined): number {
    const before = this.ensure(conversation);
    const record = withRead(before, seq, unread);
    if (record !== before) this.#put(record);
    return record.read;
  }

  receipt(conversation: string, delivered: number, seen: number): void {
    // It may come before the answer to the first message, which is what makes the conversation known here.
    if (directConversationUsers(conversation) === undefined) return;
    const before = this.ensure(conversation);
    const record = withPeerReceipt(before, delivered, seen);
    if (record !== before) this.#put(record);
  }

  /** The whole list is known: what is not in it is not ours any more. */
  keepOnly(listed: ReadonlySet<string>): void {
    for (const record of this.#records.values()) {
      if (listed.has(record.conversation) || record.kind === "direct") continue;
      const without = withoutMembership(record);
      if (without !== record) this.#put(without);
    }
  }

  /** Asks the server about one conversation, soon. */
  refresh(conversation: string, delayMs: number = refreshDelayMs): void {
    this.#stale.add(conversation);
    this.#schedule(delayMs);
  }

  connected(): void {
    if (this.#stale.size > 0) this.#schedule(refreshDelayMs);
  }

  disconnected(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #put(record: ConversationRecord): void {
    this.#records.set(record.conversation, record);
    this.#around.write({ durable: false, conversations: [record] });
  }

  #schedule(delayMs: number): void {
    if (this.#cancelTimer !== undefined || !this.#around.isConnected()) return;
    this.#cancelTimer = this.#around.clock.setTimer(delayMs, () => {
      this.#cancelTimer = undefined;
      if (this.#around.isConnected()) void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const conversations = [...this.#stale].slice(0, limits.listLengthMax / 5);
    for (const conversation of conversations) this.#stale.delete(conversation);
    try {
      const { reply, items } = await this.#around.requests.request<"list">({ type: "list", conversations });
      const listed = new Map<string, FrameNamed<"conversation">>();
      for (const item of items) if (item.type === "conversation") listed.set(item.conversation, item);
      for (const item of listed.values()) this.describe(item);
      if (listed.size !== reply.count) throw new Error("items were lost");
      for (const conversation of conversations) {
        if (listed.has(conversation)) continue;
        this.#leave(conversation);
        this.#around.unlisted(conversation);
      }
      if (this.#stale.size > 0) this.#schedule(refreshDelayMs);
    } catch {
      for (const conversation of conversations) this.#stale.add(conversation);
      this.#schedule(retryDelayMs);
    }
  }

  #leave(conversation: string): void {
    const record = this.#records.get(conversation);
    if (record === undefined || record.kind === "direct") return;
    const without = withoutMembership(record);
    if (without !== record) this.#put(without);
  }
}

const utf8 = new TextDecoder();

/** Whether a system entry says that `user` is no member any more. */
function endsMembership({ messageType, body, from }: Message, user: string | undefined): boolean {
  if (user === undefined) return false;
  if (messageType === "hongyan.left") return from === user;
  if (messageType !== "hongyan.removed") return false;
  try {
    const { users } = JSON.parse(utf8.decode(body)) as { users?: unknown };
    return Array.isArray(users) && users.includes(user);
  } catch {
    return false;
  }
}
