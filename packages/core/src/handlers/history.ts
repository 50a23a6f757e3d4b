import { type FrameNamed, isConversationId, limits, type Reply } from "@hongyan/protocol";
import type { Member } from "../conversation.ts";
import { notFound } from "../membership.ts";
import { decodeMessage, messageFrame } from "../message.ts";
import type { Peer } from "../peer.ts";
import type { Session } from "../session.ts";
import type { Handler } from "./handlers.ts";

const pageMessages = 50;
const pageBytes = 512 * 1024;

/** One conversation, backwards for people who scroll, forwards for clients that saw a hole. */
export const history: Handler<"history"> = (peer, session, command) =>
  peer.answerPage(command, () => historyPage(peer, session, command));

async function historyPage(peer: Peer, session: Session, command: FrameNamed<"history">): Promise<Reply> {
  const { node } = peer;
  if (!isConversationId(command.conversation)) throw notFound();
  const { domain, user } = session.identity;
  let conversation = await node.conversations.readable(domain, command.conversation, user);
  if (conversation === undefined) throw notFound();
  let [first, last] = rangeOf(conversation.reader(user));
  const count = Math.min(Math.max(command.limit ?? pageMessages, 1), limits.pageMessagesMax);
  const bytes = Math.min(pageBytes, node.settings.outboxBytesMax);
  const isForward = command.after !== undefined;
  const entries = isForward
    ? await node.store.read(conversation.log, Math.max(command.after ?? 0, first - 1), { count, bytes })
    : await node.store.readBack(conversation.log, Math.min(command.before ?? last + 1, last + 1), {
        count,
        bytes,
      });
  const newest = Math.max(entries[0]?.seq ?? 0, entries.at(-1)?.seq ?? 0);
  if (newest > conversation.head) {
    // Whether the user is still a member there is not known yet.
    conversation = await node.conversations.reach(conversation, newest);
    if (conversation === undefined) throw notFound();
    [first, last] = rangeOf(conversation.reader(user));
  }
  let sent = 0;
  let reached = 0;
  for (const entry of entries) {
    if (entry.seq < first || entry.seq > last) break;
    peer.write(messageFrame(decodeMessage(conversation.id, entry), command.id));
    sent++;
    reached = entry.seq;
  }
  const end = isForward ? Math.min(last, conversation.head) : first;
  return {
    type: "history.ok",
    id: command.id,
    count: sent,
    more: sent > 0 && (isForward ? reached < end : reached > end),
  };
}

/** The first and the last seq that somebody may read. */
function rangeOf(member: Member | undefined): [first: number, last: number] {
  const endless = Number.MAX_SAFE_INTEGER - 1;
  return member === undefined ? [1, 0] : [member.since, Math.min(member.until ?? endless, endless)];
}
