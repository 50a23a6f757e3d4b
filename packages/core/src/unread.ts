import type { Conversation, Member } from "./conversation.ts";
import { decodeMessage, isSystemType } from "./message.ts";
import type { Store } from "./ports.ts";

const scanLimit = { count: 1000, bytes: 1024 * 1024 };

/**
 * Unread entries of a member: those in (read, head] that others have sent. Derived from positions, so it cannot
 * drift. Only after `countUnread`, and in the same moment as the head and the read position it is shown with.
 */
export function unreadCount(conversation: Conversation, member: Member): number {
  const uncounted = member.uncounted === undefined ? 0 : member.uncounted + conversation.systemEntries;
  return Math.max(0, conversation.head - readFrom(member) - uncounted);
}

/**
 * Makes `unreadCount` right. What does not count (own and system entries) is counted from the log when first asked
 * for, and kept up to date by every later append. One pass serves all members who are not counted yet: after a
 * restart the members of a large group ask one after another, and each would read the same entries.
 */
export async function countUnread(store: Store, conversation: Conversation, member: Member): Promise<void> {
  while (needsCount(conversation, member)) {
    conversation.counting ??= countAll(store, conversation).finally(() => {
      conversation.counting = undefined;
    });
    await conversation.counting;
  }
}

/**
 * Nobody asks what a former member has not read. Who has read beyond the head, on another node, has nothing unread: what
 * does not count for them is counted when the head has come there.
 */
export function needsCount(conversation: Conversation, member: Member): boolean {
  return (
    member.uncounted === undefined && member.until === undefined && readFrom(member) <= conversation.head
  );
}

function readFrom(member: Member): number {
  return Math.max(member.read, member.since - 1);
}

/** Own entries of one member, among those it has not read. */
interface Tally {
  readonly member: Member;
  readonly from: number;
  own: number;
}

async function countAll(store: Store, conversation: Conversation): Promise<void> {
  const tallies = new Map<string, Tally>();
  let at = conversation.head;
  for (const member of conversation.members()) {
    if (!needsCount(conversation, member)) continue;
    const from = readFrom(member);
    tallies.set(member.user, { member, from, own: 0 });
    at = Math.min(at, from);
  }
  const systemSeqs: number[] = [];
  while (at < conversation.head) {
    const entries = await store.read(conversation.log, at, scanLimit);
    if (entries.length === 0) break;
    // The store may be ahead of what this node has been told of: those entries are counted when they are.
    const { head } = conversation;
    for (const entry of entries) {
      if (entry.seq > head) break;
      at = entry.seq;
      const { from, messageType } = decodeMessage(conversation.id, entry);
      if (isSystemType(messageType)) systemSeqs.push(entry.seq);
      else {
        const sender = tallies.get(from);
        if (sender !== undefined && entry.seq > sender.from) sender.own++;
      }
    }
  }
  for (const { member, from, own } of tallies.values()) {
    // Who has read on meanwhile is counted in the next pass.
    if (readFrom(member) !== from || member.uncounted !== undefined) continue;
    conversation.leaveOut(member, own + countAbove(systemSeqs, from));
  }
}

/** How many of these ascending seqs are above `from`. */
function countAbove(seqs: readonly number[], from: number): number {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seqs[middle] as number) > from) high = middle;
    else low = middle + 1;
  }
  return seqs.length - low;
}
