import type { Conversation, ReceiptsSnapshot, ShownMessage, View } from "@hongyan/client";
import { useView } from "@hongyan/client/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNames } from "../names/use-names.ts";
import { useNow, useVisible } from "../page/browser-state.ts";
import { usePage } from "../page/page-context.ts";
import { reasonOf } from "../text/reason.ts";
import { readUpTo } from "./read-position.ts";
import { usersOf } from "./system-text.ts";
import { type TimelineItem, timelineItems } from "./timeline-items.ts";
import type { TimelineActions, TimelineSnapshot } from "./timeline-view.tsx";
import { closeDivider, moveDivider, openDivider } from "./unread-divider.ts";
import { useFirstUnread } from "./use-first-unread.ts";

const noReceipts: View<ReceiptsSnapshot> = {
  snapshot: { conversation: "", receipts: [], loaded: false },
  subscribe: () => () => undefined,
};

export interface Timeline {
  readonly snapshot: TimelineSnapshot;
  readonly actions: TimelineActions;
  /** Undefined: it is on its way. Otherwise why it cannot be sent. */
  send(text: string): string | undefined;
}

/** The view-model of one open conversation; `key` the component by the conversation. */
export function useTimeline(
  conversation: Conversation,
  title: string,
  showReceipts: (message: ShownMessage) => void,
): Timeline {
  const { client, strings, drafts } = usePage();
  const id = conversation.conversation;
  const group = conversation.kind === "group";
  const view = useMemo(() => client.messages(id), [client, id]);
  const shown = useView(view);
  const { messages, atStart, atEnd, loading } = shown;
  // In groups the ticks move only while receipts are watched.
  useView(useMemo(() => (group ? client.receipts(id) : noReceipts), [client, id, group]));
  const visible = useVisible();
  const now = useNow(60_000);

  const watched = useRef(false);
  const [divider, setDivider] = useState(() => openDivider(conversation));
  const moved = moveDivider(divider, conversation, visible && watched.current);
  if (moved !== divider) setDivider(moved);

  const firstUnread = useFirstUnread(view, shown, moved);
  const unreadAfter = firstUnread.here ? moved.after : undefined;

  const before = useRef<readonly TimelineItem[]>([]);
  const items = useMemo(() => timelineItems(messages, unreadAfter, before.current), [messages, unreadAfter]);
  before.current = items;

  const nameOf = useNames(useMemo(() => usersShown(messages), [messages]));
  const newest = useNewest(messages, atEnd);
  const announcement =
    newest === undefined
      ? ""
      : strings.chat.newMessage(nameOf(newest.from), newest.text?.slice(0, 300) ?? "");

  // The window on the messages is one per conversation and outlives this component: it is left as it is to be found.
  useEffect(
    () => () => {
      if (!view.snapshot.atEnd) void view.toLatest().catch(() => undefined);
    },
    [view],
  );

  const actions = useMemo<TimelineActions>(
    () => ({
      loadOlder: () => view.loadOlder(),
      loadNewer: () => view.loadNewer(),
      toLatest: () => (view.snapshot.atEnd ? Promise.resolve() : view.toLatest()),
      seen(screen) {
        const known = client.conversation(id);
        const seq = known === undefined ? undefined : readUpTo(screen, known, view.snapshot);
        if (seq !== undefined) client.markRead(id, seq);
      },
      toFirstUnread: firstUnread.find,
      watch(atBottom) {
        watched.current = atBottom;
      },
      retry: (message) => void client.retry(message),
      edit(message) {
        const [text, draft] = [message.text ?? "", drafts.get(id)];
        if (!draft.includes(text)) drafts.set(id, draft === "" ? text : `${text}\n${draft}`);
      },
      discard: (message) => client.discard(message),
      showReceipts,
    }),
    [client, drafts, id, view, firstUnread.find, showReceipts],
  );

  return {
    snapshot: {
      title,
      group,
      items,
      atStart,
      atEnd,
      loading,
      ready: firstUnread.ready,
      further: firstUnread.here ? 0 : moved.waiting,
      visible,
      unread: conversation.unread,
      now,
      nameOf,
      announcement,
    },
    actions,
    send(text) {
      try {
        client.send(id, text);
      } catch (error) {
        return strings.people.failed(reasonOf(error, strings));
      }
      setDivider(closeDivider);
      void actions.toLatest().catch(() => undefined);
      return undefined;
    },
  };
}

function usersShown(messages: readonly ShownMessage[]): ReadonlySet<string> {
  const users = new Set<string>();
  for (const message of messages) {
    if (message.from !== "") users.add(message.from);
    if (message.system) for (const user of usersOf(message)) users.add(user);
  }
  return users;
}

/** The newest message of somebody else that came after the conversation was opened. */
function useNewest(messages: readonly ShownMessage[], atEnd: boolean): ShownMessage | undefined {
  const last = messages[messages.length - 1];
  const known = useRef<number | undefined>(undefined);
  const [newest, setNewest] = useState<ShownMessage | undefined>(undefined);
  useEffect(() => {
    if (last === undefined || !atEnd || last.seq === 0) return;
    const before = known.current;
    known.current = Math.max(before ?? 0, last.seq);
    if (before !== undefined && last.seq > before && !last.own && !last.system) setNewest(last);
  }, [last, atEnd]);
  return newest;
}
