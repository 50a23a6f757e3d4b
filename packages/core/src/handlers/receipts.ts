import { type FrameNamed, isConversationId, type Reply } from "@hongyan/protocol";
import { notFound } from "../membership.ts";
import { pageOf } from "../page.ts";
import type { Peer } from "../peer.ts";
import type { Session } from "../session.ts";
import type { Handler } from "./handlers.ts";

const pageMax = 500;

/** How far everybody is: pulled when a message's receipts are opened, and for groups too large to push them. */
export const receipts: Handler<"receipts"> = (peer, session, command) =>
  peer.answerPage(command, () => receiptsPage(peer, session, command));

async function receiptsPage(peer: Peer, session: Session, command: FrameNamed<"receipts">): Promise<Reply> {
  if (!isConversationId(command.conversation)) throw notFound();
  const { domain, user: asking } = session.identity;
  const [conversation] = await peer.node.conversations.current(domain, [command.conversation]);
  if (conversation?.member(asking) === undefined) throw notFound();
  if (peer.node.repair !== undefined) await peer.node.conversations.readPositions(conversation);
  const { items, next } = pageOf(
    conversation.members(),
    (member) => member.user,
    command.after,
    command.limit ?? pageMax,
    pageMax,
  );
  for (const { user, delivered, read } of items) {
    peer.push({ type: "receipt", id: command.id, conversation: conversation.id, user, delivered, read });
  }
  return { type: "receipts.ok", id: command.id, count: items.length, next };
}
