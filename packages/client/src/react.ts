/** The hooks. Each rerenders when, and only when, what it returns has changed. */
import { createContext, createElement, type ReactNode, useContext, useSyncExternalStore } from "react";
import type {
  Client,
  ConnectionState,
  Conversation,
  MembersSnapshot,
  MessagesSnapshot,
  MessagesView,
  ReceiptsSnapshot,
  User,
  View,
} from "./api.ts";

const ClientContext = createContext<Client | undefined>(undefined);

/** Gives the hooks below it their client. Starting and stopping the client stays with the application. */
export function HongyanProvider({ client, children }: { client: Client; children?: ReactNode }): ReactNode {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client of the nearest `HongyanProvider`. Throws where there is none. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === undefined) throw new Error("useClient needs a HongyanProvider above it");
  return client;
}

/** Any view's snapshot. */
export function useView<S>(view: View<S>): S {
  return useSyncExternalStore(
    view.subscribe,
    () => view.snapshot,
    () => view.snapshot,
  );
}

export function useConnection(): ConnectionState {
  return useView(useClient().connection);
}

/** All conversations, the most recently active first. */
export function useConversations(): readonly Conversation[] {
  return useView(useClient().conversations);
}

/** One conversation's messages, and the way to page through them. */
export function useMessages(
  conversation: string,
): MessagesSnapshot & Pick<MessagesView, "loadOlder" | "loadNewer" | "toLatest"> {
  const view = useClient().messages(conversation);
  const { loadOlder, loadNewer, toLatest } = view;
  return { ...useView(view), loadOlder, loadNewer, toLatest };
}

export function useMembers(conversation: string): MembersSnapshot {
  return useView(useClient().members(conversation));
}

/** How far each other member is. Watched while the component is shown. */
export function useReceipts(conversation: string): ReceiptsSnapshot {
  return useView(useClient().receipts(conversation));
}

/** Whether a user is online; undefined while nobody knows, or where there is no user. */
export function useOnline(user: string | undefined): boolean | undefined {
  const client = useClient();
  return useView(user === undefined ? nobody : client.online(user));
}

const nobody: View<undefined> = { snapshot: undefined, subscribe: () => () => undefined };

/** A user's profile; without a name until it is known. */
export function useProfile(user: string): User {
  return useView(useClient().profile(user));
}
