import { directConversationUsers } from "@hongyan/protocol";
import type { Conversation, LastMessage, LocalMessage } from "../api.ts";
import { preview } from "../engine/conversation-record.ts";
import type { ConversationRecord } from "../ports.ts";
import { LazyCell } from "./cell.ts";
import type { Locals } from "./locals.ts";
import { statusOf, type Ticks } from "./shown-message.ts";

/** What one conversation's snapshot was made of. */
interface Made {
  readonly record: ConversationRecord;
  readonly locals: readonly LocalMessage[];
  readonly ticks: Ticks;
  readonly user: string | undefined;
  readonly snapshot: Conversation;
}

/** The conversation list: records of the engine, with own messages on their way, sorted by activity. */
export class ConversationList {
  readonly view: LazyCell<readonly Conversation[]>;
  readonly #records = new Map<string, ConversationRecord>();
  readonly #made = new Map<string, Made>();
  readonly #locals: Locals;
  readonly #ticks: (record: ConversationRecord) => Ticks;
  readonly #user: () => string | undefined;
  /** Conversations that exist only as a message that waits to create them. */
  readonly #unborn: (conversation: string) => ConversationRecord;

  constructor(around: {
    locals: Locals;
    ticks: (record: ConversationRecord) => Ticks;
    user: () => string | undefined;
    unborn: (conversation: string) => ConversationRecord;
  }) {
    this.#locals = around.locals;
    this.#ticks = around.ticks;
    this.#user = around.user;
    this.#unborn = around.unborn;
    this.view = new LazyCell((before) => this.#make(before));
  }

  record(conversation: string): ConversationRecord | undefined {
    return this.#records.get(conversation);
  }

  records(): Iterable<ConversationRecord> {
    return this.#records.values();
  }

  put(record: ConversationRecord): void {
    this.#records.set(record.conversation, record);
    this.view.changed();
  }

  forget(): void {
    this.#records.clear();
    this.#made.clear();
    this.view.changed();
  }

  get(conversation: string): Conversation | undefined {
    const record =
      this.#records.get(conversation) ??
      (this.#locals.has(conversation) ? this.#unborn(conversation) : undefined);
    return record === undefined ? undefined : this.#snapshot(record);
  }

  #make(before: readonly Conversation[] | undefined): readonly Conversation[] {
    const list: Conversation[] = [];
    for (const record of this.#records.values()) if (isShown(record)) list.push(this.#snapshot(record));
    for (const conversation of this.#locals.conversations())
      if (!this.#records.has(conversation)) list.push(this.#snapshot(this.#unborn(conversation)));
    list.sort((a, b) => b.activityAt - a.activityAt || (a.conversation < b.conversation ? -1 : 1));
    if (before !== undefined && before.length === list.length && list.every((one, at) => one === before[at]))
      return before;
    return list;
  }

  #snapshot(record: ConversationRecord): Conversation {
    const { conversation } = record;
    const locals = this.#locals.of(conversation);
    const ticks = this.#ticks(record);
    const user = this.#user();
    const made = this.#made.get(conversation);
    if (
      made !== undefined &&
      made.record === record &&
      made.locals === locals &&
      made.user === user &&
      made.ticks.delivered === ticks.delivered &&
      made.ticks.seen === ticks.seen
    )
      return made.snapshot;
    const snapshot = show(record, locals, ticks, user);
    this.#made.set(conversation, { record, locals, ticks, user, snapshot });
    return snapshot;
  }
}

/** A group of which nothing is known but that the user is not in it is not shown. */
function isShown(record: ConversationRecord): boolean {
  return record.kind === "direct" || record.role !== "none" || record.last !== undefined;
}

function show(
  record: ConversationRecord,
  locals: readonly LocalMessage[],
  ticks: Ticks,
  user: string | undefined,
): Conversation {
  const { conversation, kind, name, open, role, members, first, head, read, unread } = record;
  const users = directConversationUsers(conversation);
  const local = locals.at(-1);
  const isLocalLast = local !== undefined && isAfter(local, record.last);
  return {
    conversation,
    kind,
    name,
    peer: users === undefined ? undefined : users[0] === user ? users[1] : users[0],
    open,
    role,
    members,
    first,
    head,
    read,
    unread,
    delivered: ticks.delivered,
    seen: ticks.seen,
    last: isLocalLast ? lastOfLocal(local, user) : lastOfRecord(record, ticks, user),
    activityAt: isLocalLast ? Math.max(record.activityAt, local.time) : record.activityAt,
  };
}

/** What was refused stays where it was sent, by time (see `failed-place.ts`): a later message comes after it. */
function isAfter(local: LocalMessage, last: ConversationRecord["last"]): boolean {
  if (last === undefined) return true;
  return local.status === "failed" ? local.time > last.time : local.seq === 0 || local.seq > last.seq;
}

function lastOfRecord(
  { last }: ConversationRecord,
  ticks: Ticks,
  user: string | undefined,
): LastMessage | undefined {
  if (last === undefined) return undefined;
  const { seq, from, time, messageType, text } = last;
  return { from, time, messageType, text, status: from === user ? statusOf(seq, ticks) : "received" };
}

function lastOfLocal(
  { time, messageType, body, status }: LocalMessage,
  user: string | undefined,
): LastMessage {
  return { from: user ?? "", time, messageType, text: preview(body), status };
}
