import type { Conversation, Member } from "./conversation.ts";
import { userSubject } from "./keys.ts";
import type { NodeContext } from "./node-context.ts";

/** How far a reader was before the first of the acknowledgements that are collected here. */
interface Moved {
  delivered: number;
  read: number;
}

/**
 * Tells senders how far their readers are. Positions are collected for a moment, so that a burst of
 * acknowledgements becomes one receipt per sender and reader; only committed positions come here (G5).
 */
export class Receipts {
  readonly #node: NodeContext;
  readonly #moved = new Map<Conversation, Map<string, Moved>>();
  #flushedAtMs = 0;

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /**
   * A cursor of `member` was committed at `position`; `before` is where it was when that was asked for. What was read
   * from the store meanwhile may show the new position already, and nobody was told of it.
   */
  moved(
    conversation: Conversation,
    member: Member,
    kind: "delivered" | "read",
    position: number,
    before: number,
  ): void {
    if (position <= before) return;
    let readers = this.#moved.get(conversation);
    if (readers === undefined) {
      readers = new Map();
      this.#moved.set(conversation, readers);
    }
    let moved = readers.get(member.user);
    if (moved === undefined) {
      moved = { delivered: member.delivered, read: member.read };
      readers.set(member.user, moved);
    }
    moved[kind] = Math.min(moved[kind], before);
    conversation.raise(member, kind, position);
  }

  /** Sends what was collected, at most every `receiptsEveryMs`. */
  flush(): void {
    const now = this.#node.clock.now();
    if (this.#moved.size === 0) return;
    if (now >= this.#flushedAtMs && now - this.#flushedAtMs < this.#node.settings.receiptsEveryMs) return;
    this.#flushedAtMs = now;
    for (const [conversation, readers] of this.#moved) {
      for (const [user, before] of readers) this.#tell(conversation, user, before);
    }
    this.#moved.clear();
  }

  #tell(conversation: Conversation, user: string, before: Moved): void {
    const reader = conversation.people.get(user);
    if (reader === undefined) return;
    const subjects: string[] = [];
    // The user's other devices show the same read position.
    if (reader.read > before.read) subjects.push(userSubject(conversation.domain, user));
    if (conversation.memberCount <= this.#node.settings.receiptsPushMembersMax) {
      const covered = Math.min(
        reader.delivered > before.delivered ? before.delivered : Infinity,
        reader.read > before.read ? before.read : Infinity,
      );
      for (const member of conversation.members()) {
        if (member.user !== user && member.lastSent > covered)
          subjects.push(userSubject(conversation.domain, member.user));
      }
    }
    if (subjects.length === 0) return;
    const { delivered, read } = reader;
    this.#node.delivery.toUsers(subjects, {
      kind: "receipt",
      conversation: conversation.id,
      user,
      delivered,
      read,
    });
  }
}
