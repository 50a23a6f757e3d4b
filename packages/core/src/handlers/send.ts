import {
  type FrameNamed,
  isClientMessageId,
  isConversationId,
  isMessageType,
  ProtocolError,
  type Reply,
} from "@hongyan/protocol";
import type { Message } from "../backend.ts";
import type { AppendTicket } from "../committer.ts";
import type { Conversation } from "../conversation.ts";
import { recordKeys } from "../keys.ts";
import { directPuts, notFound } from "../membership.ts";
import { bodyOffset, encodeMessage, idempotencyKey, isSystemType } from "../message.ts";
import type { Peer } from "../peer.ts";
import type { AppendOutcome } from "../ports.ts";
import type { Session } from "../session.ts";
import type { Handler } from "./handlers.ts";

type Send = FrameNamed<"send">;

const noBody = new Uint8Array(0);
/** Conversations of which a session remembers its last message. */
const chainsMax = 1000;

/**
 * Step 1 of six: a message comes in. Step 2 (`send.ok`) and step 3 (the pushes) follow when its commit is done.
 * While the conversation is in memory this runs without a promise; otherwise messages wait for it in order.
 */
export const send: Handler<"send"> = (peer, session, command) => {
  const { node } = peer;
  const refusal = checkSend(peer, command);
  if (refusal !== undefined) return peer.reject(command.id, refusal);
  const conversation = node.conversations.resident(session.identity.domain, command.conversation);
  if (conversation !== undefined) return sendTo(peer, session, command, conversation);
  const kept = park(peer, command);
  node.conversations.load(session.identity.domain, command.conversation).then(
    (loaded) => {
      unpark(peer, kept);
      sendTo(peer, session, kept, loaded);
    },
    (error: unknown) => {
      unpark(peer, kept);
      peer.reject(command.id, node.asRefusal(error));
    },
  );
};

function checkSend(peer: Peer, command: Send): ProtocolError | undefined {
  const { node } = peer;
  const length = command.body?.length ?? 0;
  if (length > node.settings.bodyBytesMax)
    return new ProtocolError("too_large", `a body has at most ${node.settings.bodyBytesMax} bytes`);
  if (!isConversationId(command.conversation))
    return new ProtocolError("bad_request", "not a conversation id");
  if (!isClientMessageId(command.clientMessageId))
    return new ProtocolError("bad_request", "clientMessageId is empty or has control characters");
  if (command.messageType !== undefined && !isMessageType(command.messageType))
    return new ProtocolError(
      "bad_request",
      "messageType has control characters, or is no well-formed Unicode",
    );
  if (isSystemType(command.messageType))
    return new ProtocolError("forbidden", "message types of the server are reserved");
  if (node.committer.waitingBytes > node.settings.commitBytesMax)
    return new ProtocolError("overloaded", "too much waits for the store", 200);
  return undefined;
}

/** The body belongs to the transport until the end of the tick; a command that waits needs its own. */
function park(peer: Peer, command: Send): Send {
  peer.pending++;
  peer.node.committer.hold(command.body?.length ?? 0);
  return command.body === undefined ? command : { ...command, body: new Uint8Array(command.body) };
}

function unpark(peer: Peer, command: Send): void {
  peer.pending--;
  peer.node.committer.release(command.body?.length ?? 0);
}

function sendTo(peer: Peer, session: Session, command: Send, conversation: Conversation | undefined): void {
  if (peer.isClosed) return;
  const { user } = session.identity;
  const waiting = session.lookups?.get(command.conversation);
  if (waiting !== undefined) waiting.push({ peer, command: park(peer, command) });
  else if (conversation?.member(user) === undefined) sendOfOutsider(peer, session, command);
  else if (command.after === undefined || follows(peer, session, command))
    accept(peer, session, command, conversation);
  else lookUp(peer, session, command, command.after, conversation);
}

/** Nobody is refused by what is in memory alone: another node may have let the sender in. */
function sendOfOutsider(peer: Peer, session: Session, command: Send): void {
  const { domain, user } = session.identity;
  const waiting = waitBehind(peer, session, command);
  peer.node.conversations.current(domain, [command.conversation]).then(
    ([conversation]) =>
      waiting.end((from, send) => {
        if (conversation?.reader(user) === undefined) from.reject(send.id, notFound());
        else if (conversation.member(user) === undefined) resendOfFormer(from, user, send, conversation);
        else sendTo(from, session, send, conversation);
      }),
    (error: unknown) => waiting.end((from, send) => from.reject(send.id, from.node.asRefusal(error))),
  );
}

interface Waiting {
  /** Ends the waiting, and hands over what has waited, in order. */
  end(take: (peer: Peer, command: Send) => void): void;
}

/** A send that asks the store, and what the session sends to the conversation after it, which stays behind it (G3). */
function waitBehind(peer: Peer, session: Session, command: Send): Waiting {
  const waiting = [{ peer, command: park(peer, command) }];
  session.lookups ??= new Map();
  session.lookups.set(command.conversation, waiting);
  return {
    end(take) {
      session.lookups?.delete(command.conversation);
      for (const next of waiting) {
        unpark(next.peer, next.command);
        take(next.peer, next.command);
      }
    },
  };
}

/** Who was removed sends nothing new, but learns that what it sent before was stored (G2). */
function resendOfFormer(peer: Peer, user: string, command: Send, conversation: Conversation): void {
  const entry = encodeMessage(user, command.clientMessageId, command.messageType, command.body ?? noBody);
  const key = idempotencyKey(user, command.clientMessageId);
  peer.answer(command, storedBefore(peer, command.id, conversation, key, entry));
}

async function storedBefore(
  peer: Peer,
  id: number,
  { log }: Conversation,
  { producer, number }: ReturnType<typeof idempotencyKey>,
  entry: Uint8Array,
): Promise<Reply> {
  const { store } = peer.node;
  const seq = await store.find(log, producer, number);
  if (seq === undefined) throw notFound();
  const [stored] = await store.read(log, seq - 1, { count: 1, bytes: 1 });
  if (stored !== undefined && stored.seq === seq && !areEqual(stored.body, entry))
    throw new ProtocolError("conflict");
  return { type: "send.ok", id, seq, time: stored?.time ?? 0, duplicate: true };
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/**
 * The usual way after a reconnect: the message before was stored on an earlier session. Asks the log, once for a
 * pipeline of messages: those behind this one wait for the answer and then follow it.
 */
function lookUp(
  peer: Peer,
  session: Session,
  command: Send,
  after: string,
  conversation: Conversation,
): void {
  const { producer, number } = idempotencyKey(session.identity.user, after);
  const waiting = waitBehind(peer, session, command);
  conversation.busy++;
  const settle = (refusal: ProtocolError | undefined) => {
    conversation.busy--;
    let isFirst = true;
    waiting.end((from, send) => {
      if (!isFirst) return sendTo(from, session, send, conversation);
      isFirst = false;
      if (refusal !== undefined) return from.reject(send.id, refusal);
      if (from.isClosed) return;
      // The sender may have been removed while the store was asked.
      if (conversation.member(session.identity.user) === undefined) sendOfOutsider(from, session, send);
      else accept(from, session, send, conversation);
    });
  };
  peer.node.store.find(conversation.log, producer, number).then(
    (seq) => settle(seq === undefined ? new ProtocolError("out_of_order") : undefined),
    (error: unknown) => settle(peer.node.asRefusal(error)),
  );
}

/** Whether the message before was accepted on this session, so that it is stored before this one or not at all. */
function follows(peer: Peer, session: Session, command: Send): boolean {
  const { generation } = peer.node.committer;
  if (session.chainGeneration !== generation) {
    session.chains = undefined;
    session.chainGeneration = generation;
  }
  return session.chains?.get(command.conversation) === command.after;
}

function accept(peer: Peer, session: Session, command: Send, conversation: Conversation): void {
  const { node } = peer;
  if (!conversation.isCurrent)
    return peer.reject(command.id, new ProtocolError("unavailable", undefined, 100));
  const { user } = session.identity;
  if (session.chainGeneration !== node.committer.generation) follows(peer, session, command);
  session.chains ??= new Map();
  if (session.chains.size >= chainsMax && !session.chains.has(command.conversation)) session.chains.clear();
  session.chains.set(command.conversation, command.clientMessageId);
  const { producer, number } = idempotencyKey(user, command.clientMessageId);
  const now = node.clock.now();
  const append = {
    log: conversation.log,
    producer,
    number,
    time: now,
    body: encodeMessage(user, command.clientMessageId, command.messageType, command.body ?? noBody),
  };
  const isFirst = conversation.version === 0;
  if (isFirst) conversation.version = 1;
  // Two members for ever: there is nothing to be removed from.
  const canLeave = node.repair !== undefined && conversation.kind !== "direct";
  node.committer.append(
    append,
    new SendTicket(peer, session, command, conversation, append.body),
    isFirst ? directPuts(conversation, user, now) : undefined,
    canLeave ? recordKeys.departed(conversation.domain, conversation.id, user) : undefined,
  );
}

/** Waits for the commit of one message. */
class SendTicket implements AppendTicket {
  readonly #peer: Peer;
  readonly #session: Session;
  readonly #id: number;
  readonly #clientMessageId: string;
  readonly #messageType: string | undefined;
  readonly #conversation: Conversation;
  readonly #entry: Uint8Array;

  constructor(peer: Peer, session: Session, command: Send, conversation: Conversation, entry: Uint8Array) {
    this.#peer = peer;
    this.#session = session;
    this.#id = command.id;
    this.#clientMessageId = command.clientMessageId;
    this.#messageType = command.messageType;
    this.#conversation = conversation;
    this.#entry = entry;
    conversation.busy++;
  }

  committed(outcome: AppendOutcome): void {
    const peer = this.#peer;
    const conversation = this.#conversation;
    conversation.busy--;
    switch (outcome.status) {
      case "stored": {
        peer.node.statistics.messagesStored++;
        peer.reply({ type: "send.ok", id: this.#id, seq: outcome.seq, time: outcome.time });
        return peer.node.delivery.stored(conversation, this.#message(outcome), this.#session.id);
      }
      case "duplicate":
        peer.node.statistics.messagesDuplicate++;
        peer.reply({ type: "send.ok", id: this.#id, seq: outcome.seq, time: outcome.time, duplicate: true });
        // The node that stored it may have died before it told anybody.
        if (outcome.seq > conversation.head)
          peer.node.delivery.stored(conversation, this.#message(outcome), this.#session.id);
        return this.#repeatReceipts(outcome.seq);
      case "conflict":
        return peer.reject(
          this.#id,
          new ProtocolError("conflict", "this client message id was used for another message"),
        );
      case "refused":
        return this.removed();
    }
  }

  get sender(): string {
    return this.#session.identity.user;
  }

  removed(): void {
    const conversation = this.#conversation;
    const { node } = this.#peer;
    conversation.busy--;
    // Another node may have done it, and nobody here been told; who asks next asks the store again.
    node.conversations.current(conversation.domain, [conversation.id]).catch(() => undefined);
    // It was not stored, so that nothing may follow it, also where the sender is let in again.
    this.#session.chains?.delete(conversation.id);
    const key = idempotencyKey(this.sender, this.#clientMessageId);
    this.#peer.answer({ id: this.#id }, storedBefore(this.#peer, this.#id, conversation, key, this.#entry));
  }

  failed(): void {
    this.#conversation.busy--;
    this.#peer.reject(this.#id, new ProtocolError("unavailable", undefined, 1000));
  }

  #message(outcome: AppendOutcome): Message {
    return {
      conversation: this.#conversation.id,
      seq: outcome.seq,
      from: this.#session.identity.user,
      time: outcome.time,
      clientMessageId: this.#clientMessageId,
      messageType: this.#messageType,
      body: this.#entry.subarray(bodyOffset(this.#entry)),
    };
  }

  /** The sender may have missed `ack:N` as well as our first answer: it gets the stored positions again. */
  #repeatReceipts(seq: number): void {
    const conversation = this.#conversation;
    if (conversation.memberCount > this.#peer.node.settings.receiptsPushMembersMax) return;
    for (const member of conversation.members()) {
      if (member.user === this.#session.identity.user || (member.delivered < seq && member.read < seq))
        continue;
      const { user, delivered, read } = member;
      this.#peer.node.delivery.deliver(this.#session, {
        kind: "receipt",
        conversation: conversation.id,
        user,
        delivered,
        read,
      });
    }
  }
}
