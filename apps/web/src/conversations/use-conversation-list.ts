import { useConnection, useConversations, useView } from "@hongyan/client/react";
import { useDeferredValue, useMemo, useState } from "react";
import { useNames } from "../names/use-names.ts";
import { useNow } from "../page/browser-state.ts";
import { usePage } from "../page/page-context.ts";
import { route } from "../page/route.ts";
import type { ConversationListActions, ConversationListSnapshot } from "./conversation-list.tsx";
import { conversationRows, usersInList } from "./conversation-rows.ts";

export interface ConversationListModel {
  readonly snapshot: ConversationListSnapshot;
  readonly actions: ConversationListActions;
}

export function useConversationList(
  open: string | undefined,
  newChat: () => void,
  signOut: () => void,
): ConversationListModel {
  const { drafts, strings, user } = usePage();
  const conversations = useConversations();
  const connection = useConnection();
  const texts = useView(drafts);
  const now = useNow(60_000);
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search);
  const nameOf = useNames(useMemo(() => [user, ...usersInList(conversations)], [conversations, user]));
  const rows = useMemo(
    () => conversationRows(conversations, wanted, { nameOf, drafts: texts, strings, self: user, open }),
    [conversations, wanted, nameOf, texts, strings, user, open],
  );
  const loading =
    connection.status !== "live" && connection.status !== "stopped" && connection.status !== "waiting";
  const actions = useMemo<ConversationListActions>(
    () => ({ open: route.open, search: setSearch, newChat, signOut }),
    [newChat, signOut],
  );
  return { snapshot: { rows, open, search, loading, userName: nameOf(user), now }, actions };
}
