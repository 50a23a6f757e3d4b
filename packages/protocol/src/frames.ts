/**
 * Every frame of the protocol. A command is answered by exactly one reply with the command's id: `<type>.ok`
 * (its code is the command's + 64) or `error`. Before a reply the server may send items: pushes that carry the
 * command's id. A push with id 0 came by itself.
 *
 * Codes and the order of fields are the wire: see `version.ts` before changing anything here.
 */
import { limits } from "./limits.ts";
import { type FrameSchema, field, frame, optional, type ValuesOf } from "./schema.ts";

const seq = field("uint", Number.MAX_SAFE_INTEGER);
const milliseconds = field("uint", Number.MAX_SAFE_INTEGER);
const count = field("uint", 0xffffffff);
const flag = field("boolean", 1);
const id = field("string", limits.idLengthMax);
const conversation = field("string", limits.conversationIdLengthMax);
const clientMessageId = field("string", limits.clientMessageIdLengthMax);
const messageType = field("string", limits.messageTypeLengthMax);
const name = field("string", limits.nameLengthMax);
const word = field("string", 32);
const sentence = field("string", 1024);
const ids = field("strings", limits.listLengthMax);
const positions = field("positions", limits.positionsMax);

const command = [
  frame(1, "connect", "command", {
    version: count,
    token: field("string", limits.tokenLengthMax),
    device: id,
    platform: optional(word),
    resume: optional(id),
  }),
  frame(2, "ping", "command", {}),
  frame(
    3,
    "send",
    "command",
    { conversation, clientMessageId, after: optional(clientMessageId), messageType: optional(messageType) },
    true,
  ),
  frame(4, "ack", "command", { positions }),
  frame(5, "read", "command", { positions }),
  frame(6, "sync", "command", {
    positions: optional(positions),
    limit: optional(count),
    bytes: optional(count),
    counts: optional(flag),
  }),
  frame(7, "history", "command", {
    conversation,
    before: optional(seq),
    after: optional(seq),
    limit: optional(count),
  }),
  frame(8, "list", "command", {
    conversations: optional(field("strings", limits.listLengthMax)),
    after: optional(conversation),
    limit: optional(count),
  }),
  frame(9, "receipts", "command", { conversation, after: optional(id), limit: optional(count) }),
  frame(10, "users", "command", { users: optional(ids), after: optional(id), limit: optional(count) }),
  frame(11, "create", "command", {
    conversation: optional(id),
    name: optional(name),
    members: optional(ids),
    open: optional(flag),
  }),
  frame(12, "update", "command", { conversation, name: optional(name), open: optional(flag) }),
  frame(13, "members", "command", { conversation, after: optional(id), limit: optional(count) }),
  frame(14, "add", "command", { conversation, users: ids }),
  frame(15, "remove", "command", { conversation, users: ids }),
  frame(16, "role", "command", { conversation, user: id, role: word }),
  frame(17, "join", "command", { conversation }),
  frame(18, "leave", "command", { conversation }),
  frame(19, "disconnect", "command", {}),
  frame(20, "presence", "command", { users: ids, watch: optional(flag) }),
] as const;

const reply = [
  frame(65, "connect.ok", "reply", {
    session: id,
    node: id,
    epoch: id,
    domain: id,
    user: id,
    resumed: flag,
    behind: flag,
    heartbeatMs: milliseconds,
    time: milliseconds,
    bodyBytesMax: count,
  }),
  frame(66, "ping.ok", "reply", { time: milliseconds, receipts: count }),
  frame(67, "send.ok", "reply", { seq, time: milliseconds, duplicate: optional(flag) }),
  frame(68, "ack.ok", "reply", {}),
  frame(69, "read.ok", "reply", {}),
  frame(70, "sync.ok", "reply", { count, more: flag }),
  frame(71, "history.ok", "reply", { count, more: flag }),
  frame(72, "list.ok", "reply", { count, next: optional(conversation), receipts: count }),
  frame(73, "receipts.ok", "reply", { count, next: optional(id) }),
  frame(74, "users.ok", "reply", { count, next: optional(id) }),
  frame(75, "create.ok", "reply", { conversation, created: flag }),
  frame(76, "update.ok", "reply", {}),
  frame(77, "members.ok", "reply", { count, next: optional(id) }),
  frame(78, "add.ok", "reply", { count }),
  frame(79, "remove.ok", "reply", { count }),
  frame(80, "role.ok", "reply", {}),
  frame(81, "join.ok", "reply", { head: seq }),
  frame(82, "leave.ok", "reply", {}),
  frame(83, "disconnect.ok", "reply", {}),
  frame(84, "presence.ok", "reply", { count }),
  frame(127, "error", "reply", {
    code: count,
    name: word,
    message: sentence,
    retryAfterMs: optional(milliseconds),
  }),
] as const;

const push = [
  frame(
    128,
    "message",
    "push",
    { conversation, seq, from: id, time: milliseconds, clientMessageId, messageType: optional(messageType) },
    true,
  ),
  frame(129, "receipt", "push", {
    conversation,
    user: id,
    delivered: seq,
    read: seq,
    ordinal: optional(count),
  }),
  frame(
    130,
    "conversation",
    "push",
    {
      conversation,
      kind: word,
      name: optional(name),
      open: optional(flag),
      role: word,
      members: count,
      first: seq,
      head: seq,
      read: seq,
      position: seq,
      delivered: seq,
      seen: seq,
      unread: seq,
      lastFrom: optional(id),
      lastTime: optional(milliseconds),
      lastType: optional(messageType),
    },
    true,
  ),
  frame(131, "member", "push", { conversation, user: id, role: word, since: seq, name: optional(name) }),
  frame(132, "user", "push", { user: id, name: optional(name) }),
  frame(133, "behind", "push", {}),
  frame(134, "drain", "push", { reconnectInMs: milliseconds }),
  frame(135, "close", "push", { code: count, reason: sentence, retryAfterMs: optional(milliseconds) }),
  frame(136, "online", "push", { user: id, online: flag }),
] as const;

export const schemas = [...command, ...reply, ...push] as const;

/** `{ type, id }`, the fields of that type, and a body where the type has one. */
type FrameOf<S> =
  S extends FrameSchema<infer T, infer F>
    ? { type: T; id: number; body?: Uint8Array | undefined } & ValuesOf<F>
    : never;

export type Command = FrameOf<(typeof command)[number]>;
export type Reply = FrameOf<(typeof reply)[number]>;
export type Push = FrameOf<(typeof push)[number]>;
export type Frame = Command | Reply | Push;

export type FrameType = Frame["type"];
export type CommandType = Command["type"];
export type FrameNamed<T extends FrameType> = Extract<Frame, { type: T }>;

/** What a decoder returns for a type that this side does not know: answered or ignored by rule, never fatal. */
export interface UnknownFrame {
  type: "unknown";
  id: number;
  /** Number (binary) or name (text) as it stood on the wire. */
  wireType: number | string;
}

const byCode: (FrameSchema | undefined)[] = [];
const byType = new Map<string, FrameSchema>();
for (const schema of schemas) {
  byCode[schema.code] = schema;
  byType.set(schema.type, schema);
}

export function schemaOfCode(code: number): FrameSchema | undefined {
  return byCode[code];
}

export function schemaOfType(type: string): FrameSchema | undefined {
  return byType.get(type);
}

/** Commands have codes below 64. */
export function isCommand(frame: Frame): frame is Command {
  return (byType.get(frame.type)?.code ?? 64) < 64;
}
