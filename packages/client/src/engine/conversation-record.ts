/** How a conversation's record changes. Pure: each function returns the same object where nothing changes. */
import { directConversationUsers, type FrameNamed, tryDecodeUtf8 } from "@hongyan/protocol";
import type { Message } from "../api.ts";
import type { ConversationRecord, LastRecord } from "../ports.ts";

/** Characters of a last message that the conversation list keeps. */
const previewLengthMax = 200;

export function isSystem(messageType: string | undefined): boolean {
  return messageType?.startsWith("hongyan.") === true;
}

/** A conversation of which only the id is known. */
export function newRecord(conversation: string): ConversationRecord {
  const isDirect = directConversationUsers(conversation) !== undefined;
  return {
    conversation,
    kind: isDirect ? "direct" : "group",
    name: undefined,
    open: false,
    role: isDirect ? "member" : "none",
    members: isDirect ? 2 : 0,
    first: 1,
    head: 0,
    read: 0,
    unread: 0,
    counted: 0,
    position: undefined,
    delivered: 0,
    seen: 0,
    last: undefined,
    activityAt: 0,
  };
}

/** After the server has described the conversation. `recount`: its count is for another read position than ours. */
export function withItem(
  record: ConversationRecord,
  item: FrameNamed<"conversation">,
): { record: ConversationRecord; recount: boolean } {
  const read = Math.max(record.read, item.read);
  const isOld = item.head < record.counted;
  const count = unreadAfterItem(record, item, read, isOld);
  const last = isOld ? record.last : lastOfItem(record, item);
  const { kind, role } = item;
  return {
    record: {
      ...record,
      kind: kind === "direct" ? "direct" : "group",
      name: item.name,
      open: item.open ?? false,
      role: role === "owner" || role === "admin" || role === "member" ? role : "none",
      members: item.members,
      first: item.first,
      head: Math.max(record.head, item.head),
      read,
      unread: count ?? record.unread,
      counted: Math.max(record.counted, item.head),
      position: record.position ?? Math.max(item.position, item.first - 1),
      delivered: Math.max(record.delivered, item.delivered),
      seen: Math.max(record.seen, item.seen),
      last,
      activityAt: Math.max(record.activityAt, last?.time ?? 0),
    },
    recount: count === undefined,
  };
}

/** The server's count is the truth; undefined where it is about another moment than ours. */
function unreadAfterItem(
  record: ConversationRecord,
  item: FrameNamed<"conversation">,
  read: number,
  isOld: boolean,
): number | undefined {
  if (read >= Math.max(item.head, record.counted)) return 0;
  // What lies before the member's first entry counts for nobody: a position there is as good as any other.
  const before = item.first - 1;
  if (isOld || Math.max(item.read, before) < Math.max(read, before)) return undefined;
  return item.unread;
}

function lastOfItem(record: ConversationRecord, item: FrameNamed<"conversation">): LastRecord | undefined {
  if (item.lastFrom === undefined || item.lastTime === undefined) return undefined;
  const { last } = record;
  // The item does not say its seq: where it is the one known already, the known one does.
  if (last !== undefined && last.from === item.lastFrom && last.time === item.lastTime) return last;
  return {
    seq: item.head,
    from: item.lastFrom,
    time: item.lastTime,
    messageType: item.lastType,
    text: item.body === undefined ? undefined : preview(item.body),
  };
}

/** After an entry of the log was handed to the application. */
export function withMessage(
  record: ConversationRecord,
  message: Message,
  user: string | undefined,
): ConversationRecord {
  const { seq } = message;
  const isTalk = !isSystem(message.messageType);
  const isNews = seq > record.counted;
  const counts = isNews && isTalk && message.from !== user && seq > record.read;
  const isLast = isTalk && (record.last === undefined || seq >= record.last.seq);
  return {
    ...record,
    position: seq,
    head: Math.max(record.head, seq),
    counted: Math.max(record.counted, seq),
    unread: counts ? record.unread + 1 : record.unread,
    last: isLast ? lastOfMessage(message) : record.last,
    // System entries do not make a conversation active, but a new one has to stand somewhere.
    activityAt:
      isTalk || record.last === undefined ? Math.max(record.activityAt, message.time) : record.activityAt,
  };
}

function lastOfMessage({ seq, from, time, messageType, body }: Message): LastRecord {
  return { seq, from, time, messageType, text: preview(body) };
}

/**
 * After the user has read up to `seq`, here or elsewhere; `unread` is the count after that, undefined where only
 * the server can tell. Read elsewhere may be ahead of what has arrived here.
 */
export function withRead(
  record: ConversationRecord,
  seq: number,
  unread: number | undefined,
): ConversationRecord {
  if (seq <= record.read) return record;
  const rest = seq >= record.counted ? 0 : (unread ?? record.unread);
  return { ...record, read: seq, head: Math.max(record.head, seq), unread: rest };
}

/** After the peer of a direct conversation has received or read. */
export function withPeerReceipt(
  record: ConversationRecord,
  delivered: number,
  seen: number,
): ConversationRecord {
  if (delivered <= record.delivered && seen <= record.seen) return record;
  return { ...record, delivered: Math.max(record.delivered, delivered), seen: Math.max(record.seen, seen) };
}

/** After the user has left, or the server does not list the conversation any more. */
export function withoutMembership(record: ConversationRecord): ConversationRecord {
  return record.role === "none" ? record : { ...record, role: "none" };
}

export function preview(body: Uint8Array): string | undefined {
  // Cut on bytes first so that a large body is not decoded for a line; a character may be cut at the end.
  const isCut = body.length > 4 * previewLengthMax;
  let bytes = body;
  if (isCut) {
    let end = 4 * previewLengthMax;
    while (end > 0 && ((body[end] as number) & 0xc0) === 0x80) end--;
    bytes = body.subarray(0, end);
  }
  const text = tryDecodeUtf8(bytes);
  return text === undefined || text.length <= previewLengthMax
    ? text
    : [...text].slice(0, previewLengthMax).join("");
}
