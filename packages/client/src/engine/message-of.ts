import type { FrameNamed, Push } from "@hongyan/protocol";
import type { Message } from "../api.ts";

const noBody = new Uint8Array(0);

/**
 * The entry that a `message` frame brings. The body is copied: the frame's may share memory with others. (Not by
 * `slice`, which in Node's `Buffer` copies nothing.)
 */
export function messageOf(frame: FrameNamed<"message">): Message {
  return {
    conversation: frame.conversation,
    seq: frame.seq,
    from: frame.from,
    time: frame.time,
    clientMessageId: frame.clientMessageId,
    messageType: frame.messageType,
    body: frame.body === undefined ? noBody : new Uint8Array(frame.body),
  };
}

export function messagesOf(items: readonly Push[]): Message[] {
  const messages: Message[] = [];
  for (const item of items) if (item.type === "message") messages.push(messageOf(item));
  return messages;
}
