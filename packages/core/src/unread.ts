import type { Conversation, Member } from "./conversation.ts";
import { decodeMessage, isSystemType } from "./message.ts";
import type { Store } from "./ports.ts";

const scanLimit = { count: 1000, bytes: 1024 * 1024 };

/**
 * Unread entries of a member: those in (read, head] that others have sent. Derived from positions, so it cannot
 * drift. Only after `countUnread`, and in the same moment as the head and the read position it is shown with.
 */
export function unreadCount(conversation: Conversation, member: Member): number {
  return Math.max(0, conversation.head - readFrom(member) - (member.uncounted ?? 0));
}

/**
 * Makes `unreadCount` right: what does not count (own and system entries) is counted once from the log when first
 * asked for, and kept up to date by every later append.
 */
export async function countUnread(store: Store, conversation: Conversation, member: Member): Promise<void> {
  while (member.uncounted === undefined) {
    const from = readFrom(member);
    const uncounted = await countQuiet(store, conversation, member.user, from);
    if (readFrom(member) === from) member.uncounted = uncounted;
  }
}

function readFrom(member: Member): number {
  return Math.max(member.read, member.since - 1);
}

/** Entries after `from` that are no news to `user`, up to the head of the moment in which this resolves. */
async function countQuiet(
  store: Store,
  conversation: Conversation,
  user: string,
  from: number,
): Promise<number> {
  let at = from;
  let quiet = 0;
  while (at < conversation.head) {
    const entries = await store.read(conversation.log, at, scanLimit);
    if (entries.length === 0) return quiet;
    // The store may be ahead of what this node has been told of: those entries are counted when they are.
    const { head } = conversation;
    for (const entry of entries) {
      if (entry.seq > head) break;
      at = entry.seq;
      const message = decodeMessage(conversation.id, entry);
      if (message.from === user || isSystemType(message.messageType)) quiet++;
    }
  }
  return quiet;
}
