import { useClient, useConversations } from "@hongyan/client/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Chat } from "../chat/chat.tsx";
import { newDirectConversation } from "../chat/open-conversation.ts";
import { type ConnectionActions, ConnectionBar } from "../connection/connection-bar.tsx";
import { useConnectionNotice } from "../connection/use-connection-notice.ts";
import { ConversationList } from "../conversations/conversation-list.tsx";
import { type ConversationRow, pageTitle, titleOf } from "../conversations/conversation-rows.ts";
import { useConversationList } from "../conversations/use-conversation-list.ts";
import { useNames } from "../names/use-names.ts";
import { Logo } from "../parts/logo.tsx";
import { NewConversation } from "../people/new-conversation.tsx";
import { useRoute } from "./browser-state.ts";
import { usePage } from "./page-context.ts";
import { route } from "./route.ts";

export interface ShellActions {
  signOut(): void;
  signInAgain(): void;
}

/** The signed-in page: the list beside the open conversation; on a phone one or the other. */
export function Shell({ actions }: { actions: ShellActions }) {
  const client = useClient();
  const { strings, user } = usePage();
  const conversations = useConversations();
  const open = useRoute();
  const [creating, setCreating] = useState(false);
  const newChat = useCallback(() => setCreating(true), []);
  const list = useConversationList(open, newChat, actions.signOut);
  const notice = useConnectionNotice();
  const conversation =
    open === undefined
      ? undefined
      : (conversations.find((one) => one.conversation === open) ?? newDirectConversation(open, user));

  const peer = conversation?.peer;
  const nameOf = useNames(useMemo(() => (peer === undefined ? [] : [peer]), [peer]));
  const title = conversation === undefined ? undefined : titleOf(conversation, nameOf);
  useEffect(() => {
    document.title = pageTitle(conversations, title, strings.appName);
  }, [conversations, title, strings]);
  useKeys(list.snapshot.rows, open);

  const connection: ConnectionActions = useMemo(
    () => ({ connect: () => void client.start(), signInAgain: actions.signInAgain }),
    [client, actions],
  );
  return (
    <div className="shell" data-open={open !== undefined || undefined}>
      <ConnectionBar notice={notice} actions={connection} />
      <div className="panes">
        <ConversationList snapshot={list.snapshot} actions={list.actions} />
        {conversation === undefined ? (
          <NothingOpen gone={open !== undefined && !list.snapshot.loading} />
        ) : (
          <Chat key={conversation.conversation} conversation={conversation} />
        )}
      </div>
      {creating && <NewConversation onClose={() => setCreating(false)} />}
    </div>
  );
}

function NothingOpen({ gone }: { gone: boolean }) {
  const { strings } = usePage();
  return (
    <main className="nothing-open" data-gone={gone || undefined}>
      <Logo size={72} />
      <h1>{gone ? strings.chat.gone : strings.chat.pick}</h1>
      <p>{strings.chat.pickHint}</p>
    </main>
  );
}

/** Ctrl+K (or Cmd+K) goes to the search field from everywhere, Alt with an arrow to the conversation above or below. */
function useKeys(rows: readonly ConversationRow[], open: string | undefined): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        document.getElementById("search")?.focus();
      }
      const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      if (step === 0 || !event.altKey) return;
      event.preventDefault();
      const next = rows[rows.findIndex((row) => row.conversation === open) + step];
      if (next !== undefined) route.open(next.conversation);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [rows, open]);
}
