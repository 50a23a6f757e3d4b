import type { Conversation } from "@hongyan/client";

/** The id of the conversation of two users: known before either has been connected. */
export function directConversation(one: string, other: string): string {
  return one < other ? `${one}:${other}` : `${other}:${one}`;
}

/**
 * A direct conversation exists from its first message on, but it can be opened before: this is how it looks then.
 * Undefined for a group, and for the conversation of two other people.
 */
export function newDirectConversation(id: string, self: string): Conversation | undefined {
  const colon = id.indexOf(":");
  if (colon < 0) return undefined;
  const [one, other] = [id.slice(0, colon), id.slice(colon + 1)];
  if (one > other || (one !== self && other !== self)) return undefined;
  return {
    conversation: id,
    kind: "direct",
    name: undefined,
    peer: one === self ? other : one,
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
  };
}
