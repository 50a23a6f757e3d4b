import type { MessagesSnapshot, MessagesView } from "@hongyan/client";
import { useCallback, useEffect, useRef, useState } from "react";
import { isFirstUnreadHere, type UnreadDivider } from "./unread-divider.ts";

/** Further back than this the first unread message is looked for only when it is asked for. */
const searchedMessagesMax = 240;
const pagesMax = 6;

/** `asked`: by the reader, who waits for it however far it is. */
type Search = "opening" | "asked" | "over";

export interface FirstUnread {
  /** It is loaded: the divider can stand before it. */
  readonly here: boolean;
  /** It is not looked for: what is loaded can be shown. */
  readonly ready: boolean;
  /** Looks for it again: `ready` is false until it is loaded or cannot be had. */
  find(): void;
}

/**
 * A conversation opens at its first unread message where that is a few pages back: they are loaded. Where it is
 * further, or cannot be had (offline), the conversation opens at its end.
 */
export function useFirstUnread(
  view: MessagesView,
  snapshot: MessagesSnapshot,
  divider: UnreadDivider,
): FirstUnread {
  const { messages, loading } = snapshot;
  const [search, setSearch] = useState<Search>(divider.waiting > searchedMessagesMax ? "over" : "opening");
  const pages = useRef(0);
  const here = isFirstUnreadHere(snapshot, divider);
  const isEmpty = messages.length === 0;
  const isFar = search === "opening" && messages.length >= searchedMessagesMax;
  useEffect(() => {
    if (search === "over" || loading || isEmpty) return;
    if (here || isFar || (search === "opening" && pages.current >= pagesMax)) return setSearch("over");
    pages.current++;
    const [lowest] = messages;
    view.loadOlder().then(
      // A page that brought nothing: there is no more to be had.
      () => view.snapshot.messages[0] === lowest && setSearch("over"),
      () => setSearch("over"),
    );
  }, [search, loading, isEmpty, here, isFar, messages, view]);
  const find = useCallback(() => setSearch("asked"), []);
  return { here, ready: here || search === "over", find };
}
