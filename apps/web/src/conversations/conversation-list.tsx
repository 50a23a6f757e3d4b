import { type KeyboardEvent, useRef } from "react";
import { usePage } from "../page/page-context.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";
import { ConversationLine } from "./conversation-line.tsx";
import type { ConversationRow } from "./conversation-rows.ts";
import { useRowWindow } from "./use-row-window.ts";

export interface ConversationListSnapshot {
  readonly rows: readonly ConversationRow[];
  readonly open: string | undefined;
  readonly search: string;
  readonly loading: boolean;
  readonly userName: string;
  readonly now: number;
}

export interface ConversationListActions {
  open(conversation: string): void;
  search(text: string): void;
  newChat(): void;
  signOut(): void;
}

export function ConversationList({
  snapshot,
  actions,
}: {
  snapshot: ConversationListSnapshot;
  actions: ConversationListActions;
}) {
  const { strings, user } = usePage();
  const { rows, search } = snapshot;
  return (
    <nav className="sidebar" aria-label={strings.list.label}>
      <header className="sidebar-header">
        <Avatar id={user} name={snapshot.userName} size="small" />
        <span className="own-name">
          <bdi>{snapshot.userName}</bdi>
        </span>
        <button
          type="button"
          className="icon-button"
          aria-label={strings.list.signOut}
          title={strings.list.signOut}
          onClick={actions.signOut}
        >
          <Icon name="leave" size={20} />
        </button>
        <button
          type="button"
          className="icon-button"
          data-strong=""
          aria-label={strings.list.newChat}
          title={strings.list.newChat}
          onClick={actions.newChat}
        >
          <Icon name="compose" size={20} />
        </button>
      </header>
      <SearchField text={search} onChange={actions.search} />
      {rows.length > 0 ? (
        <Rows snapshot={snapshot} actions={actions} />
      ) : (
        <EmptyList snapshot={snapshot} onNew={actions.newChat} />
      )}
    </nav>
  );
}

function SearchField({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const { strings } = usePage();
  return (
    <search className="search">
      <Icon name="search" size={18} />
      <input
        type="search"
        id="search"
        value={text}
        dir="auto"
        placeholder={strings.list.search}
        aria-label={strings.list.search}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onChange("");
        }}
      />
      {text !== "" && (
        <button
          type="button"
          className="icon-button"
          data-tiny=""
          aria-label={strings.list.clearSearch}
          onClick={() => onChange("")}
        >
          <Icon name="close" size={16} />
        </button>
      )}
    </search>
  );
}

function Rows({
  snapshot,
  actions,
}: {
  snapshot: ConversationListSnapshot;
  actions: ConversationListActions;
}) {
  const { rows, open, now } = snapshot;
  const list = useRef<HTMLUListElement>(null);
  const { from, to, beforePx, afterPx, onScroll } = useRowWindow(list, rows.length);
  return (
    <ul ref={list} className="conversations" onScroll={onScroll} onKeyDown={moveFocus}>
      {beforePx > 0 && <li aria-hidden="true" style={{ height: beforePx }} />}
      {rows.slice(from, to).map((row, index) => (
        <li key={row.conversation} aria-setsize={rows.length} aria-posinset={from + index + 1}>
          <ConversationLine row={row} open={row.conversation === open} now={now} onOpen={actions.open} />
        </li>
      ))}
      {afterPx > 0 && <li aria-hidden="true" style={{ height: afterPx }} />}
    </ul>
  );
}

/** Arrow keys go from line to line. */
function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  const lines = [...event.currentTarget.querySelectorAll<HTMLElement>("button.conversation")];
  const index = lines.findIndex((line) => line.contains(document.activeElement));
  lines[index + step]?.focus();
  event.preventDefault();
}

function EmptyList({ snapshot, onNew }: { snapshot: ConversationListSnapshot; onNew: () => void }) {
  const { strings } = usePage();
  if (snapshot.search !== "") return <p className="empty">{strings.list.nothingFound(snapshot.search)}</p>;
  if (snapshot.loading)
    return (
      <p className="empty" role="status">
        <span className="spinner" />
        <span className="visually-hidden">{strings.list.loading}</span>
      </p>
    );
  return (
    <div className="empty">
      <p>
        <strong>{strings.list.empty}</strong>
        <br />
        {strings.list.emptyHint}
      </p>
      <button type="button" className="button" onClick={onNew}>
        {strings.list.newChat}
      </button>
    </div>
  );
}
