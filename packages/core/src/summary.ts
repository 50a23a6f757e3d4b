import type { FrameNamed } from "@hongyan/protocol";
import type { Message } from "./backend.ts";
import type { Conversation, Member } from "./conversation.ts";
import { isDamaged } from "./damage.ts";
import { introduced } from "./introduction.ts";
import { deliveredReader, readReader } from "./keys.ts";
import { decodeMessage, isSystemType } from "./message.ts";
import type { NodeContext } from "./node-context.ts";
import type { Session } from "./session.ts";
import { countUnread, needsCount, unreadCount } from "./unread.ts";

/** How many system entries the last message is looked for behind. */
const lookBackMax = 20;
const one = { count: 1, bytes: 1 };
/** A longer last message is announced without its body. */
const previewBytesMax = 4096;

/** In a conversation that never rests, the last message may be one behind. */
const triesMax = 5;

/**
 * A conversation as its list shows it to one device, not older than its entry `seq`; undefined where the user has no
 * part in it.
 */
export async function conversationFrame(
  node: NodeContext,
  session: Session,
  id: string,
  commandId: number,
  seq = 0,
): Promise<FrameNamed<"conversation"> | undefined> {
  const { domain, user } = session.identity;
  const loaded = await node.conversations.load(domain, id);
  const conversation = loaded && (await node.conversations.reach(loaded, seq));
  const member = conversation?.member(user);
  if (conversation === undefined || member === undefined || conversation.version === 0) return undefined;
  await introduced(node, session);
  const position = await ownPosition(node, session, conversation, member);
  const last = await latest(node, conversation, member);
  if (conversation.member(user) !== member) return undefined; // Removed meanwhile.
  // Everything below is of one moment: a count that belonged to another head would be wrong for good.
  const peer = conversation.kind === "direct" ? otherMember(conversation, user) : undefined;
  const shown = last !== undefined && last.seq >= member.since ? last : undefined;
  const { delivered = 0, read: seen = 0 } = peer ?? {};
  node.repair?.told(session, id, member.read, delivered, seen);
  return {
    type: "conversation",
    id: commandId,
    conversation: id,
    kind: conversation.kind,
    name: conversation.name,
    open: conversation.open,
    role: member.role,
    members: conversation.memberCount,
    first: member.since,
    head: conversation.head,
    read: member.read,
    position: Math.max(position, member.since - 1),
    delivered,
    seen,
    unread: unreadCount(conversation, member),
    lastFrom: shown?.from,
    lastTime: shown?.time,
    lastType: shown?.messageType,
    body: shown !== undefined && shown.body.length <= previewBytesMax ? shown.body : undefined,
  };
}

/** This device's cursor. Positions that were committed on other nodes are taken into account on the way. */
async function ownPosition(
  node: NodeContext,
  { identity: { user }, device }: Session,
  conversation: Conversation,
  member: Member,
): Promise<number> {
  const { log } = conversation;
  const own = { log, reader: deliveredReader(user, device) };
  if (node.repair === undefined) return (await node.store.positions([own]))[0] ?? 0;
  const [[position = 0, read = 0]] = await Promise.all([
    node.store.positions([own, { log, reader: readReader(user) }]),
    // Of a group only the own positions are in the list.
    conversation.kind === "direct" ? node.conversations.readPositions(conversation) : undefined,
  ]);
  conversation.raise(member, "read", read);
  return position;
}

/** The last message, after what is unread was counted at the same head. */
async function latest(
  node: NodeContext,
  conversation: Conversation,
  member: Member,
): Promise<Message | undefined> {
  let last: Message | undefined;
  let lastOfHead = -1;
  try {
    for (
      let tries = 0;
      needsCount(conversation, member) || (lastOfHead !== conversation.head && tries < triesMax);
      tries++
    ) {
      await countUnread(node.store, conversation, member);
      lastOfHead = conversation.head;
      last = await lastMessage(node, conversation);
    }
  } catch (error) {
    if (!isDamaged(error)) throw error;
    // It stays in the list, without what can be said only from its log.
    if (needsCount(conversation, member)) conversation.leaveOut(member, 0);
  }
  return last;
}

function otherMember(conversation: Conversation, user: string): Member | undefined {
  for (const member of conversation.members()) if (member.user !== user) return member;
  return undefined;
}

async function lastMessage(node: NodeContext, conversation: Conversation): Promise<Message | undefined> {
  let before = conversation.head + 1;
  for (let looked = 0; looked < lookBackMax; looked++) {
    const [entry] = await node.store.readBack(conversation.log, before, one);
    if (entry === undefined) return undefined;
    const message = decodeMessage(conversation.id, entry);
    if (!isSystemType(message.messageType)) return message;
    before = entry.seq;
  }
  return undefined;
}
