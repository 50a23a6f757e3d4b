import type { MessagesSnapshot, MessagesView } from "@hongyan/client";
import { useEffect, useRef, useState } from "react";

/** Further back than this the first unread message is not looked for: the conversation opens at its end. */
const searchedMessagesMax = 240;
const pagesMax = 6;

/**
 * A conversation opens at its first unread message: pages are loaded until it is there. True once it is, or cannot
 * be had (offline, too far back), and for ever after.
 */
export function useFirstUnread(
  view: MessagesView,
  { messages, atStart, loading }: MessagesSnapshot,
  unreadAfter: number | undefined,
): boolean {
  const [ready, setReady] = useState(false);
  const pages = useRef(0);
  const lowest = messages[0]?.seq;
  const here =
    lowest !== undefined &&
    (unreadAfter === undefined || atStart || lowest === 0 || lowest <= unreadAfter + 1);
  const given = here || atStart || messages.length >= searchedMessagesMax;
  useEffect(() => {
    if (ready || loading || lowest === undefined) return;
    if (given || pages.current >= pagesMax) return setReady(true);
    pages.current++;
    view.loadOlder().catch(() => setReady(true));
  }, [ready, given, loading, lowest, view]);
  return ready || here;
}
