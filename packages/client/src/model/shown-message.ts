import { tryDecodeUtf8 } from "@hongyan/protocol";
import type { LocalMessage, Message, MessageStatus, ShownMessage } from "../api.ts";
import { isSystem } from "../engine/conversation-record.ts";

/** How far the others are. */
export interface Ticks {
  readonly delivered: number;
  readonly seen: number;
}

export function statusOf(seq: number, ticks: Ticks): MessageStatus {
  if (seq <= ticks.seen) return "read";
  if (seq <= ticks.delivered) return "delivered";
  return "stored";
}

/** An entry of the log as it is shown; the same object as `before` where nothing about it has changed. */
export function showEntry(
  message: Message,
  user: string | undefined,
  ticks: Ticks,
  before: ShownMessage | undefined,
): ShownMessage {
  const own = message.from === user;
  const system = isSystem(message.messageType);
  const status = own && !system ? statusOf(message.seq, ticks) : "received";
  if (before !== undefined && before.status === status && before.own === own) return before;
  return {
    ...message,
    key: own && message.clientMessageId !== "" ? `own/${message.clientMessageId}` : `seq/${message.seq}`,
    text: before === undefined ? tryDecodeUtf8(message.body) : before.text,
    own,
    system,
    status,
    failure: undefined,
  };
}

export function showLocal(message: LocalMessage, user: string | undefined, ticks: Ticks): ShownMessage {
  const { conversation, seq, time, clientMessageId, messageType, body, failure, status } = message;
  return {
    key: `own/${clientMessageId}`,
    conversation,
    seq,
    from: user ?? "",
    time,
    clientMessageId,
    messageType,
    body,
    text: tryDecodeUtf8(body),
    own: true,
    system: false,
    status: status === "stored" ? statusOf(seq, ticks) : status,
    failure,
  };
}
