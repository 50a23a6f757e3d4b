import type { Conversation, Member } from "./conversation.ts";
import { decodeMessage, isSystemType } from "./message.ts";
import type { Store } from "./ports.ts";

const scanLimit = { count: 1000, bytes: 1024 * 1024 };

/**
 * Unread entries of a member: those in (read, head] that others have sent. Derived from positions, so it cannot
 * drift: what does not count (own and system entries) is counted once from the log when first asked for, and
 * kept up to date by every later append.
 */
export async function unreadCount(store: Store, conversation: Conversation, member: Member): Promise<number> {
  const from = Math.max(member.read, member.since - 1);
  if (member.uncounted === undefined) {
    let at = from;
    let uncounted = 0;
    while (at < conversation.head) {
      const entries = await store.read(conversation.log, at, scanLimit);
      const head = conversation.head;
      for (const entry of entries) {
        if (entry.seq > head) break;
        at = entry.seq;
        const message = decodeMessage(conversation.id, entry);
        if (message.from === member.user || isSystemType(message.messageType)) uncounted++;
      }
      if (entries.length === 0) break;
    }
    if (Math.max(member.read, member.since - 1) !== from) return unreadCount(store, conversation, member);
    member.uncounted = uncounted;
  }
  return Math.max(0, conversation.head - from - member.uncounted);
}
