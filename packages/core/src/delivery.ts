import type { Subjects } from "./audience.ts";
import type { Message } from "./backend.ts";
import { claimed } from "./claim.ts";
import type { Conversation } from "./conversation.ts";
import type { NodeEvent } from "./event.ts";
import { conversationLog, deliveredReader } from "./keys.ts";
import { decodeMessage, isSystemType, messageFrame } from "./message.ts";
import type { NodeContext } from "./node-context.ts";
import type { Broker } from "./ports.ts";
import type { Session, Window } from "./session.ts";
import { conversationFrame } from "./summary.ts";

/** One page of a repetition. */
const repeatLimit = { count: 64, bytes: 64 * 1024 };
/** After so many repetitions the device is told to pull instead. */
const repeatsMax = 4;
/** A device that leaves more conversations than this unacknowledged pulls. */
const windowsMax = 10_000;

/** Brings events to sessions. A push is a hint: whatever is left out here is read after the cursor. */
export class Delivery {
  readonly #node: NodeContext;
  readonly #broker: Broker<NodeEvent>;
  /** The event that what is in memory has last taken into account: one event goes to many sessions. */
  #learnt: NodeEvent | undefined;

  constructor(node: NodeContext, broker: Broker<NodeEvent>) {
    this.#node = node;
    this.#broker = broker;
  }

  /**
   * An entry of this node was committed: takes it into account, and shows it. Where entries of other nodes lie before
   * it they are read first, so that it is shown to those who are members at this entry, and to nobody else.
   */
  stored(conversation: Conversation, message: Message, exceptSession: string | undefined): void {
    if (conversation.isCurrent && message.seq <= conversation.head + 1) {
      conversation.append(message, false);
      return this.publish(conversation, message, exceptSession);
    }
    this.#publishBehind(conversation, message, exceptSession);
  }

  /** Apart, so that the usual way allocates nothing. */
  #publishBehind(conversation: Conversation, message: Message, exceptSession: string | undefined): void {
    this.#node.conversations.reach(conversation, message.seq).then(
      (current) => {
        if (current !== undefined) this.publish(current, message, exceptSession);
      },
      // The store is away: whoever should have seen it is told when it is back, or compared with it.
      () => undefined,
    );
  }

  /**
   * Shows a committed entry to all members' sessions but the one that sent it, and to `also`, who are no members any
   * more. Encoded once for all of them.
   */
  publish(
    conversation: Conversation,
    message: Message,
    exceptSession: string | undefined,
    also: readonly string[] = [],
  ): void {
    const event: NodeEvent = {
      kind: "message",
      conversation: conversation.id,
      seq: message.seq,
      frame: messageFrame(message, 0),
      exceptSession,
    };
    this.toUsers(conversation.audienceOf(message.seq), event);
    if (also.length > 0) this.toUsers(also, event);
  }

  toUsers(subjects: Subjects, event: NodeEvent): void {
    this.#learnt = event; // This node knows what it tells.
    this.#broker.publish(subjects, event);
  }

  /** Takes one event to one session of this node. */
  readonly deliver = (session: Session, event: NodeEvent): void => {
    if (event !== this.#learnt) {
      this.#learnt = event;
      this.#learn(session.identity.domain, event);
    }
    switch (event.kind) {
      case "message":
        return this.#push(session, event);
      case "receipt":
        return this.#receipt(session, event);
      case "conversation":
        return this.#conversation(session, event);
      case "claimed":
        return claimed(this.#node, session, event);
      case "kick":
        if (event.device !== undefined && event.device !== session.device) return;
        session.peer?.close("kicked");
        return this.#node.sessions.end(session);
      case "whereabouts":
        return this.#node.presence.asked(session, event.node);
      case "online":
        return; // Goes to subjects of its own.
      case "behind":
        return this.#toPull(session);
    }
  };

  /** Events may have been lost: every device here reads after its cursors. */
  pullAll(): void {
    for (const session of this.#node.sessions.all()) this.#toPull(session);
  }

  /** Another node has committed something: what is in memory here follows. */
  #learn(domain: string, event: NodeEvent): void {
    if (event.kind !== "message" && event.kind !== "receipt") return;
    const conversation = this.#node.conversations.peek(domain, event.conversation);
    if (conversation === undefined) return;
    if (event.kind === "receipt") {
      const member = conversation.people.get(event.user);
      if (member === undefined) return;
      conversation.raise(member, "delivered", event.delivered);
      conversation.raise(member, "read", event.read);
      return;
    }
    const { frame } = event.frame;
    if (event.seq <= conversation.head || frame.type !== "message") return;
    const isNext = event.seq === conversation.head + 1 && event.seq > 1;
    if (isNext && !isSystemType(frame.messageType)) return conversation.append(frame, false);
    // Who reads or writes next tries again.
    this.#node.conversations.reach(conversation, event.seq).catch(() => undefined);
  }

  #push(session: Session, event: Extract<NodeEvent, { kind: "message" }>): void {
    if (session.behind || session.id === event.exceptSession)
      return session.backlog?.note(event.conversation, event.seq);
    const { peer } = session;
    if (peer === undefined) return session.fallBehind();
    if (peer.connection.bufferedBytes > this.#node.settings.outboxBytesMax) {
      this.#node.statistics.movedToPull++;
      return session.fallBehind();
    }
    this.#node.statistics.messagesPushed++;
    this.#open(session, event.conversation, event.seq);
    if (!session.behind) peer.write(event.frame);
  }

  /** What the device has to acknowledge. */
  #open(session: Session, conversation: string, seq: number): void {
    session.windows ??= new Map();
    const window = session.windows.get(conversation);
    if (window !== undefined) window.pushed = Math.max(window.pushed, seq);
    else if (session.windows.size >= windowsMax) {
      // Its outbox is empty: nothing else would tell it.
      this.#toPull(session);
    } else session.windows.set(conversation, { pushed: seq, sinceMs: this.#node.clock.now(), repeats: 0 });
  }

  #receipt(session: Session, event: Extract<NodeEvent, { kind: "receipt" }>): void {
    session.receipts++;
    const { peer } = session;
    // Left out for a slow reader: the ordinal shows the hole.
    if (peer === undefined || peer.connection.bufferedBytes > this.#node.settings.outboxBytesMax) return;
    this.#node.statistics.receiptsPushed++;
    const { conversation, user, delivered, read } = event;
    peer.push({ type: "receipt", id: 0, conversation, user, delivered, read, ordinal: session.receipts });
  }

  #conversation(session: Session, { conversation, seq }: Extract<NodeEvent, { kind: "conversation" }>): void {
    const { peer } = session;
    if (peer === undefined) return session.fallBehind();
    conversationFrame(this.#node, session, conversation, 0, seq).then(
      (frame) => {
        if (frame !== undefined) peer.push(frame);
      },
      // The device learns of it when it asks.
      () => this.#toPull(session),
    );
  }

  #toPull(session: Session): void {
    session.fallBehind();
    this.tellBehind(session);
  }

  /**
   * There are entries up to `seq` that the device has not acknowledged. What it was not shown counts as pushed, so that
   * it is repeated until it has them; and the device is shown the conversation, of which it may not know.
   */
  expect(session: Session, conversation: string, seq: number): void {
    const window = session.windows?.get(conversation);
    if (session.behind || (window !== undefined && window.pushed >= seq)) return;
    this.#open(session, conversation, seq);
    if (!session.behind) this.#conversation(session, { kind: "conversation", conversation, seq });
  }

  /** The device has everything up to `seq`: nothing below is pushed again. */
  acknowledged(session: Session, conversation: string, seq: number): void {
    session.backlog?.settle(conversation, seq);
    const window = session.windows?.get(conversation);
    if (window === undefined) return;
    if (seq >= window.pushed) session.windows?.delete(conversation);
    else {
      window.sinceMs = this.#node.clock.now();
      window.repeats = 0;
    }
  }

  /** Tells a device to `sync`. Like every push this one may be lost, so it is repeated until the device does. */
  tellBehind(session: Session): void {
    session.toldBehindMs = this.#node.clock.now();
    session.peer?.push({ type: "behind", id: 0 });
  }

  /** Repeats what a live device has not acknowledged in time. */
  repeat(session: Session): void {
    if (session.behind) return this.#repeatBehind(session);
    if (session.windows === undefined || session.windows.size === 0) return;
    const now = this.#node.clock.now();
    // A device that reads what it has missed acknowledges with its next request: it is not silent, but served late.
    const isServedLate = session.peer?.waitsForPage === true;
    for (const [conversation, window] of session.windows) {
      if (window.sinceMs > now || isServedLate) window.sinceMs = now;
      if (now - window.sinceMs < this.#node.settings.repushAfterMs) continue;
      window.sinceMs = now;
      window.repeats++;
      if (window.repeats > repeatsMax) return this.#toPull(session);
      this.#repeatWindow(session, conversation, window).catch(() => undefined); // The next round tries again.
    }
  }

  #repeatBehind(session: Session): void {
    const { peer, toldBehindMs } = session;
    if (peer === undefined || toldBehindMs === undefined || peer.connection.bufferedBytes > 0) return;
    const now = this.#node.clock.now();
    const sinceMs = now - toldBehindMs;
    // Whoever waits for `list` or `sync` knows, however long that takes: told again, it would do both once more.
    if (sinceMs < 0 || peer.waitsForPage) session.toldBehindMs = now;
    else if (sinceMs >= this.#node.settings.repushAfterMs) this.tellBehind(session);
  }

  async #repeatWindow(session: Session, conversation: string, window: Window): Promise<void> {
    const { domain, user } = session.identity;
    const log = conversationLog(domain, conversation);
    const [position = 0] = await this.#node.store.positions([
      { log, reader: deliveredReader(user, session.device) },
    ]);
    const loaded = await this.#node.conversations.load(domain, conversation);
    const member = loaded?.reader(user);
    if (member === undefined) return;
    // Acknowledged through another session.
    if (position >= window.pushed) return void session.windows?.delete(conversation);
    const entries = await this.#node.store.read(log, Math.max(position, member.since - 1), repeatLimit);
    const { peer } = session;
    for (const entry of entries) {
      if (entry.seq > window.pushed || entry.seq > (member.until ?? entry.seq)) return;
      if (
        session.behind ||
        peer === undefined ||
        peer.connection.bufferedBytes > this.#node.settings.outboxBytesMax
      )
        return;
      peer.write(messageFrame(decodeMessage(conversation, entry), 0));
    }
  }
}
