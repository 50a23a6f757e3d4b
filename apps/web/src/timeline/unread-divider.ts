/**
 * Where "new messages" stands in an open conversation: at the read position of the moment when unread messages
 * met somebody who did not see them. It stays there while they are read (the eye needs a fixed place) and leaves
 * with the next own message or when the conversation is left.
 */
export interface UnreadDivider {
  /** The divider stands after this seq; undefined: there is none. */
  readonly after: number | undefined;
  readonly unread: number;
}

export interface ReadPosition {
  readonly read: number;
  readonly unread: number;
}

export function openDivider({ read, unread }: ReadPosition): UnreadDivider {
  return { after: unread > 0 ? read : undefined, unread };
}

/** @param watched the tab is visible and the newest message is on screen */
export function moveDivider(
  divider: UnreadDivider,
  { read, unread }: ReadPosition,
  watched: boolean,
): UnreadDivider {
  if (unread === divider.unread) return divider;
  const unseen = divider.unread === 0 && unread > 0 && !watched;
  return { after: unseen ? read : divider.after, unread };
}

export function closeDivider(divider: UnreadDivider): UnreadDivider {
  return divider.after === undefined ? divider : { ...divider, after: undefined };
}
