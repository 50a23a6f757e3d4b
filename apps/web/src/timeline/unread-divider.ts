import type { MessagesSnapshot } from "@hongyan/client";

/**
 * Where "new messages" stands in an open conversation: at the read position of the moment when unread messages
 * met somebody who did not see them. It stays there while they are read (the eye needs a fixed place) and leaves
 * with the next own message or when the conversation is left. It is shown only where the first unread message is
 * loaded (`isFirstUnreadHere`): before any other message it would say that the unread ones begin there.
 */
export interface UnreadDivider {
  /** The divider stands after this seq; undefined: there is none. */
  readonly after: number | undefined;
  readonly unread: number;
  /** How many were unread when it was put there. */
  readonly waiting: number;
}

export interface ReadPosition {
  readonly read: number;
  readonly unread: number;
}

export function openDivider({ read, unread }: ReadPosition): UnreadDivider {
  return { after: unread > 0 ? read : undefined, unread, waiting: unread };
}

/** @param watched the tab is visible and the newest message is on screen */
export function moveDivider(
  divider: UnreadDivider,
  { read, unread }: ReadPosition,
  watched: boolean,
): UnreadDivider {
  if (unread === divider.unread) return divider;
  const unseen = divider.unread === 0 && unread > 0 && !watched;
  return unseen ? { after: read, unread, waiting: unread } : { ...divider, unread };
}

export function closeDivider(divider: UnreadDivider): UnreadDivider {
  return divider.after === undefined ? divider : { ...divider, after: undefined };
}

/** Everything from the first unread message on, at least its beginning, is loaded. */
export function isFirstUnreadHere({ messages, atStart }: Loaded, { after }: UnreadDivider): boolean {
  const lowest = lowestSeq(messages);
  return after === undefined || (lowest !== undefined && (atStart || lowest <= after + 1));
}

/** Undefined where nothing of the log is loaded; own messages on their way have no seq. */
export function lowestSeq(messages: Loaded["messages"]): number | undefined {
  return messages.find(({ seq }) => seq > 0)?.seq;
}

type Loaded = Pick<MessagesSnapshot, "messages" | "atStart">;
