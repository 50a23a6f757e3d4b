import { type FrameNamed, isConversationId, type Reply } from "@hongyan/protocol";
import { recordKeys } from "../keys.ts";
import type { Peer } from "../peer.ts";
import { decodeRecord, type MemberRecord } from "../record.ts";
import type { Session } from "../session.ts";
import { conversationFrame } from "../summary.ts";
import type { Handler } from "./handlers.ts";

const pageMax = 200;

/** The conversation list: what there is, how much of it is unread, and what came last. */
export const list: Handler<"list"> = (peer, session, command) =>
  peer.answerPage(command, () => listPage(peer, session, command));

async function listPage(peer: Peer, session: Session, command: FrameNamed<"list">): Promise<Reply> {
  const { node } = peer;
  // Taken first: receipts that come while the page is made are counted by the client afterwards.
  const { receipts } = session;
  const { ids, next } = await page(peer, session, command);
  await node.conversations.current(session.identity.domain, ids);
  const frames = await Promise.all(ids.map((id) => conversationFrame(node, session, id, command.id)));
  let count = 0;
  let bodyBytesLeft = node.settings.outboxBytesMax / 2;
  for (const frame of frames) {
    if (frame === undefined) continue;
    // A page of long last messages must not fill the outbox of a client that reads well.
    bodyBytesLeft -= frame.body?.length ?? 0;
    peer.push(bodyBytesLeft < 0 ? { ...frame, body: undefined } : frame);
    count++;
  }
  return { type: "list.ok", id: command.id, count, next, receipts };
}

async function page(
  peer: Peer,
  session: Session,
  command: FrameNamed<"list">,
): Promise<{ ids: readonly string[]; next: string | undefined }> {
  if (command.conversations !== undefined)
    return { ids: [...new Set(command.conversations)].filter(isConversationId), next: undefined };
  const { domain, user } = session.identity;
  const limit = Math.min(Math.max(command.limit ?? pageMax, 1), pageMax);
  const prefix = recordKeys.memberships(domain, user);
  const rows = await peer.node.store.list(
    prefix,
    command.after === undefined ? "" : prefix + command.after,
    limit,
  );
  const ids: string[] = [];
  for (const { key, value } of rows) {
    if (decodeRecord<MemberRecord>(value).until === undefined) ids.push(key.slice(prefix.length));
  }
  return { ids, next: rows.length < limit ? undefined : rows.at(-1)?.key.slice(prefix.length) };
}
