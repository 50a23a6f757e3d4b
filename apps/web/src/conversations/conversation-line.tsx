import { memo } from "react";
import { usePage } from "../page/page-context.ts";
import { Avatar } from "../parts/avatar.tsx";
import { OnlineDot } from "../people/online-dot.tsx";
import { Ticks } from "../timeline/ticks.tsx";
import type { ConversationRow } from "./conversation-rows.ts";

export interface ConversationLineProps {
  readonly row: ConversationRow;
  readonly open: boolean;
  readonly now: number;
  onOpen(conversation: string): void;
}

export const ConversationLine = memo(
  function ConversationLine({ row, open, now, onOpen }: ConversationLineProps) {
    const { strings, clock } = usePage();
    return (
      <button
        type="button"
        className="conversation"
        data-conversation={row.conversation}
        data-unread={row.unread > 0 || undefined}
        aria-current={open ? "true" : undefined}
        onClick={() => onOpen(row.conversation)}
      >
        <Avatar id={row.avatarId} name={row.title} kind={row.kind} />
        {row.kind === "direct" && <OnlineDot user={row.avatarId} />}
        <span className="conversation-title">
          <bdi>{row.title}</bdi>
        </span>
        {row.at > 0 && <time dateTime={new Date(row.at).toISOString()}>{clock.short(row.at, now)}</time>}
        <span className="conversation-preview">
          {row.status !== undefined && <Ticks status={row.status} />}
          {row.draft && <em>{strings.list.draft} </em>}
          <bdi>{row.preview}</bdi>
        </span>
        {row.unread > 0 && (
          <span className="badge">
            <span aria-hidden="true">{row.unread > 999 ? "999+" : row.unread}</span>
            <span className="visually-hidden">{strings.list.unread(row.unread)}</span>
          </span>
        )}
      </button>
    );
  },
  (before, next) =>
    before.open === next.open &&
    before.now === next.now &&
    before.onOpen === next.onOpen &&
    sameRow(before.row, next.row),
);

function sameRow(one: ConversationRow, other: ConversationRow): boolean {
  return (
    one.conversation === other.conversation &&
    one.title === other.title &&
    one.preview === other.preview &&
    one.draft === other.draft &&
    one.status === other.status &&
    one.at === other.at &&
    one.unread === other.unread
  );
}
