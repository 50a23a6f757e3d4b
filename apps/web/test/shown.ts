/** Messages and conversations with the fields that a test does not care about filled in. */
import type { Conversation, ShownMessage } from "@hongyan/client";

export function shown(fields: Partial<ShownMessage> & { seq: number }): ShownMessage {
  const from = fields.from ?? "bob";
  return {
    key: `m${fields.seq}`,
    conversation: "alice:bob",
    from,
    time: Date.UTC(2025, 2, 4, 12) + fields.seq * 1000,
    clientMessageId: `c${fields.seq}`,
    messageType: undefined,
    body: new Uint8Array(),
    text: `text ${fields.seq}`,
    own: from === "alice",
    system: fields.messageType?.startsWith("hongyan.") ?? false,
    status: from === "alice" ? "stored" : "received",
    failure: undefined,
    ...fields,
  };
}

export function conversation(fields: Partial<Conversation> & { conversation: string }): Conversation {
  return {
    kind: "direct",
    name: undefined,
    peer: "bob",
    open: false,
    role: "member",
    members: 2,
    first: 1,
    head: 0,
    read: 0,
    unread: 0,
    delivered: 0,
    seen: 0,
    last: undefined,
    activityAt: 0,
    ...fields,
  };
}
