import type { Conversation, MessageStatus } from "@hongyan/client";
import type { NameOf } from "../names/use-names.ts";
import type { Strings } from "../text/strings.ts";

/** One line of the conversation list. */
export interface ConversationRow {
  readonly conversation: string;
  readonly kind: "direct" | "group";
  readonly title: string;
  /** Whose colour and initials the avatar has. */
  readonly avatarId: string;
  readonly preview: string;
  readonly draft: boolean;
  /** How far the last message is, if it is an own one. */
  readonly status: MessageStatus | undefined;
  /** 0 where nothing has been said: there is no time to show. */
  readonly at: number;
  readonly unread: number;
}

export function titleOf(conversation: Conversation, nameOf: NameOf): string {
  if (conversation.kind === "group") return conversation.name ?? conversation.conversation;
  return nameOf(conversation.peer ?? conversation.conversation);
}

/** The users whose names the list shows. */
export function usersInList(conversations: readonly Conversation[]): readonly string[] {
  const users = new Set<string>();
  for (const { peer, kind, last } of conversations) {
    if (peer !== undefined) users.add(peer);
    if (kind === "group" && last !== undefined) users.add(last.from);
  }
  return [...users];
}

export interface ListContext {
  readonly nameOf: NameOf;
  readonly drafts: ReadonlyMap<string, string>;
  readonly strings: Strings;
  readonly self: string;
  /** The open conversation: its draft stands in the composer, not in the list. */
  readonly open: string | undefined;
}

export function conversationRows(
  conversations: readonly Conversation[],
  search: string,
  context: ListContext,
): readonly ConversationRow[] {
  const wanted = search.trim().toLocaleLowerCase();
  const rows: ConversationRow[] = [];
  for (const conversation of conversations) {
    const row = rowOf(conversation, context);
    if (wanted === "" || matches(row, conversation, wanted)) rows.push(row);
  }
  return rows;
}

function matches(row: ConversationRow, conversation: Conversation, wanted: string): boolean {
  return [row.title, row.preview, conversation.peer ?? ""].some((text) =>
    text.toLocaleLowerCase().includes(wanted),
  );
}

function rowOf(
  conversation: Conversation,
  { nameOf, drafts, strings, self, open }: ListContext,
): ConversationRow {
  const { kind, last } = conversation;
  const draft = conversation.conversation === open ? undefined : drafts.get(conversation.conversation);
  return {
    conversation: conversation.conversation,
    kind,
    title: titleOf(conversation, nameOf),
    avatarId: conversation.peer ?? conversation.conversation,
    preview: draft === undefined ? previewOf(conversation, nameOf, strings, self) : oneLine(draft),
    draft: draft !== undefined,
    status: draft === undefined && last !== undefined && last.from === self ? last.status : undefined,
    at: last === undefined ? 0 : conversation.activityAt,
    unread: conversation.unread,
  };
}

function previewOf({ kind, last }: Conversation, nameOf: NameOf, strings: Strings, self: string): string {
  if (last === undefined) return strings.list.noMessages;
  const text = last.text === undefined ? strings.chat.notText : oneLine(last.text);
  if (kind === "direct") return text;
  return strings.chat.newMessage(last.from === self ? strings.you : nameOf(last.from), text);
}

function oneLine(text: string): string {
  return text.slice(0, 200).replace(/\s+/gu, " ");
}

/** The title of the browser tab. */
export function pageTitle(
  conversations: readonly Conversation[],
  title: string | undefined,
  appName: string,
): string {
  const unread = conversations.reduce((sum, conversation) => sum + conversation.unread, 0);
  const name = title === undefined ? appName : `${title} · ${appName}`;
  return unread > 0 ? `(${unread > 999 ? "999+" : unread}) ${name}` : name;
}
