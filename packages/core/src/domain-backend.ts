import {
  isClientMessageId,
  isConversationId,
  isId,
  isMessageType,
  limits,
  ProtocolError,
} from "@hongyan/protocol";
import type {
  Backend,
  Conversation as ConversationView,
  Member as MemberView,
  Message,
  NewConversation,
  NewMessage,
  Page,
  Role,
  Stored,
  User,
  UserConversation,
} from "./backend.ts";
import type { AppendTicket } from "./committer.ts";
import type { Conversation } from "./conversation.ts";
import { readReader, recordKeys, userSubject } from "./keys.ts";
import { directPuts, notFound } from "./membership.ts";
import { decodeMessage, encodeMessage, idempotencyKey, isSystemType } from "./message.ts";
import type { NodeContext } from "./node-context.ts";
import { pageOf } from "./page.ts";
import { refusalOfName } from "./plain-text.ts";
import type { AppendOutcome } from "./ports.ts";
import { decodeRecord, encodeRecord, type MemberRecord, type UserRecord } from "./record.ts";
import { countUnread, unreadCount } from "./unread.ts";

const pageMax = 1000;
const historyBytes = 4 * 1024 * 1024;

/** The `Backend` of one domain over the parts of the node. */
export class DomainBackend implements Backend {
  readonly #node: NodeContext;
  readonly #domain: string;

  constructor(node: NodeContext, domain: string) {
    this.#node = node;
    this.#domain = domain;
  }

  async putUser({ user, name }: User): Promise<void> {
    this.#requireOpen();
    requireId(user);
    requireName(name);
    await this.#node.committer.transact(() => ({
      puts: [{ key: recordKeys.user(this.#domain, user), value: encodeRecord({ name }) }],
      appends: [],
    }));
  }

  async user(user: string): Promise<User> {
    requireId(user);
    const [row] = await this.#node.store.records([recordKeys.user(this.#domain, user)]);
    if (row === undefined) throw new ProtocolError("not_found", "no such user");
    return { user, name: decodeRecord<UserRecord>(row.value).name };
  }

  async users(after: string, limit: number): Promise<Page<User>> {
    return this.#rows(recordKeys.users(this.#domain), after, limit, (user, value) => ({
      user,
      name: decodeRecord<UserRecord>(value).name,
    }));
  }

  async removeUser(user: string): Promise<void> {
    this.#requireOpen();
    await this.user(user);
    await this.#node.committer.transact(() => ({
      puts: [{ key: recordKeys.user(this.#domain, user), value: undefined }],
      appends: [],
    }));
    await this.kick(user);
  }

  async online(users: readonly string[]): Promise<readonly string[]> {
    for (const user of users) requireId(user);
    return this.#node.presence.online(this.#domain, users);
  }

  async kick(user: string, device?: string): Promise<void> {
    requireId(user);
    this.#node.delivery.toUsers([userSubject(this.#domain, user)], { kind: "kick", device });
  }

  async createConversation(
    conversation: NewConversation,
  ): Promise<{ conversation: string; created: boolean }> {
    this.#requireOpen();
    requireName(conversation.name);
    return this.#node.membership.create(this.#domain, "", conversation);
  }

  async conversation(id: string): Promise<ConversationView> {
    return view(await this.#load(id));
  }

  async conversations(after: string, limit: number): Promise<Page<ConversationView>> {
    const { items, next } = await this.#rows(
      recordKeys.conversations(this.#domain),
      after,
      limit,
      (id) => id,
    );
    return { items: await Promise.all(items.map((id) => this.conversation(id))), next };
  }

  async updateConversation(id: string, change: { name?: string; open?: boolean }): Promise<void> {
    this.#requireOpen();
    requireName(change.name);
    return this.#node.membership.update(this.#domain, id, "", change);
  }

  async members(id: string, after: string, limit: number): Promise<Page<MemberView>> {
    const conversation = await this.#load(id);
    if (this.#node.repair !== undefined) await this.#node.conversations.readPositions(conversation);
    const { items, next } = pageOf(
      conversation.members(),
      (member) => member.user,
      after === "" ? undefined : after,
      limit,
      pageMax,
    );
    return {
      items: items.map(({ user, role, since, delivered, read }) => ({ user, role, since, delivered, read })),
      next,
    };
  }

  async addMembers(id: string, members: readonly { user: string; role: Role }[]): Promise<number> {
    this.#requireOpen();
    return this.#node.membership.add(this.#domain, id, "", members);
  }

  async removeMember(id: string, user: string): Promise<void> {
    this.#requireOpen();
    const removed = await this.#node.membership.remove(this.#domain, id, "", [user]);
    if (removed === 0) throw new ProtocolError("not_found", "no such member");
  }

  async userConversations(user: string, after: string, limit: number): Promise<Page<UserConversation>> {
    requireId(user);
    const prefix = recordKeys.memberships(this.#domain, user);
    const { items, next } = await this.#rows(prefix, after, limit, (id, value) => ({
      id,
      isMember: decodeRecord<MemberRecord>(value).until === undefined,
    }));
    const ids = items.filter(({ isMember }) => isMember).map(({ id }) => id);
    return { items: await Promise.all(ids.map((id) => this.#userConversation(user, id))), next };
  }

  async send(message: NewMessage): Promise<Stored> {
    this.#requireOpen();
    const { from, clientMessageId, messageType, body } = message;
    requireId(from);
    if (!isClientMessageId(clientMessageId))
      throw new ProtocolError("bad_request", "clientMessageId is empty or has control characters");
    if (isSystemType(messageType))
      throw new ProtocolError("forbidden", "message types of the server are reserved");
    if (messageType !== undefined && !isMessageType(messageType))
      throw new ProtocolError(
        "bad_request",
        `messageType has control characters, is no well-formed Unicode, or exceeds ${limits.messageTypeLengthMax}`,
      );
    if (body.length > this.#node.settings.bodyBytesMax)
      throw new ProtocolError("too_large", `a body has at most ${this.#node.settings.bodyBytesMax} bytes`);
    if (this.#node.committer.waitingBytes > this.#node.settings.commitBytesMax)
      throw new ProtocolError("overloaded", "too much waits for the store", 200);
    if (!isConversationId(message.conversation))
      throw new ProtocolError("bad_request", "not a conversation id");
    const conversation = await this.#node.conversations.load(this.#domain, message.conversation);
    if (conversation === undefined) throw notFound();
    if (conversation.kind === "direct" && conversation.member(from) === undefined) throw notFound();
    if (!conversation.isCurrent) throw new ProtocolError("unavailable", undefined, 100);
    const entry = encodeMessage(from, clientMessageId, messageType, body);
    const now = this.#node.clock.now();
    const isFirst = conversation.version === 0;
    if (isFirst) conversation.version = 1;
    const { producer, number } = idempotencyKey(from, clientMessageId);
    conversation.busy++;
    const outcome = await new Promise<AppendOutcome>((resolve, reject) => {
      const ticket: AppendTicket = {
        sender: "",
        committed: (stored) => {
          conversation.busy--;
          // Here and not after the promise: entries reach the conversation in the order of their seq.
          // The node that stored it before may have died before it told anybody.
          const isNews =
            stored.status === "stored" || (stored.status === "duplicate" && stored.seq > conversation.head);
          if (isNews) this.#publish(conversation, stored, entry);
          resolve(stored);
        },
        removed: () => reject(notFound()), // The backend is nobody's member.
        failed: () => {
          conversation.busy--;
          reject(new ProtocolError("unavailable", undefined, 1000));
        },
      };
      const append = { log: conversation.log, producer, number, time: now, body: entry };
      this.#node.committer.append(append, ticket, isFirst ? directPuts(conversation, from, now) : undefined);
    });
    if (outcome.status === "conflict")
      throw new ProtocolError("conflict", "this client message id was used for another message");
    return { seq: outcome.seq, time: outcome.time, duplicate: outcome.status === "duplicate" };
  }

  async history(
    id: string,
    page: { after?: number; before?: number; limit: number },
  ): Promise<readonly Message[]> {
    const conversation = await this.#load(id);
    const limit = { count: Math.min(Math.max(page.limit, 1), pageMax), bytes: historyBytes };
    const entries =
      page.after !== undefined
        ? await this.#node.store.read(conversation.log, page.after, limit)
        : (
            await this.#node.store.readBack(conversation.log, page.before ?? Number.MAX_SAFE_INTEGER, limit)
          ).reverse();
    return entries.map((entry) => decodeMessage(id, entry));
  }

  /** A backend that writes without waiting must not keep a node from closing. */
  #requireOpen(): void {
    if (this.#node.isClosing()) throw new ProtocolError("overloaded", "the server is stopping", 1000);
  }

  #publish(conversation: Conversation, stored: AppendOutcome, entry: Uint8Array): void {
    this.#node.statistics.messagesStored++;
    const message = decodeMessage(conversation.id, { seq: stored.seq, time: stored.time, body: entry });
    this.#node.delivery.stored(conversation, message, undefined);
  }

  async #userConversation(user: string, id: string): Promise<UserConversation> {
    const conversation = await this.#load(id);
    const member = conversation.member(user);
    if (member === undefined) throw notFound();
    if (this.#node.repair !== undefined) {
      const reader = readReader(user);
      const [read = 0] = await this.#node.store.positions([{ log: conversation.log, reader }]);
      conversation.raise(member, "read", read);
    }
    await countUnread(this.#node.store, conversation, member);
    return {
      conversation: id,
      head: conversation.head,
      read: member.read,
      unread: unreadCount(conversation, member),
    };
  }

  async #load(id: string): Promise<Conversation> {
    const conversation = isConversationId(id)
      ? (await this.#node.conversations.current(this.#domain, [id]))[0]
      : undefined;
    if (conversation === undefined || conversation.version === 0) throw notFound();
    return conversation;
  }

  async #rows<T>(
    prefix: string,
    after: string,
    limit: number,
    item: (id: string, value: Uint8Array) => T,
  ): Promise<Page<T>> {
    const size = Math.min(Math.max(limit, 1), pageMax);
    const rows = await this.#node.store.list(prefix, after === "" ? "" : prefix + after, size);
    const items = rows.map(({ key, value }) => item(key.slice(prefix.length), value));
    return { items, next: rows.length < size ? undefined : rows.at(-1)?.key.slice(prefix.length) };
  }
}

function requireId(user: string): void {
  if (!isId(user))
    throw new ProtocolError("bad_request", "a user id is 1 to 64 characters of A-Z a-z 0-9 _ . @ + = -");
}

function requireName(name: string | undefined): void {
  const refusal = refusalOfName(name);
  if (refusal !== undefined) throw refusal;
}

function view(conversation: Conversation): ConversationView {
  const { id, kind, name, open, createdAt, memberCount, head } = conversation;
  return { conversation: id, kind, name, open, createdAt, members: memberCount, head };
}
