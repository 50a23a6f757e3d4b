import type { ShownMessage } from "@hongyan/client";
import type { NameOf } from "../names/use-names.ts";
import { usePage } from "../page/page-context.ts";
import { Icon } from "../parts/icon.tsx";
import { type MessageActions, MessageRow } from "./message-row.tsx";
import type { OnScreen } from "./read-position.ts";
import { systemText } from "./system-text.ts";
import type { TimelineItem } from "./timeline-items.ts";
import { useScroller } from "./use-scroller.ts";

export interface TimelineSnapshot {
  readonly title: string;
  readonly group: boolean;
  readonly items: readonly TimelineItem[];
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly loading: boolean;
  /** The place where the conversation opens is here: it can be shown. */
  readonly ready: boolean;
  /** New messages that begin further up than what is loaded; 0 where their beginning is. */
  readonly further: number;
  readonly visible: boolean;
  /** Messages of others that are not read yet. */
  readonly unread: number;
  readonly now: number;
  readonly nameOf: NameOf;
  /** What a screen reader says: the newest message that came while the conversation was open. */
  readonly announcement: string;
}

export interface TimelineActions extends MessageActions {
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  toLatest(): Promise<void>;
  toFirstUnread(): void;
  seen(screen: OnScreen): void;
  watch(atEnd: boolean): void;
}

export function TimelineView({
  snapshot,
  actions,
}: {
  snapshot: TimelineSnapshot;
  actions: TimelineActions;
}) {
  const { strings } = usePage();
  const { scroller, rows, away, onScroll, toEnd } = useScroller({ ...snapshot, ...actions });
  return (
    <div className="timeline-frame">
      <div
        ref={scroller}
        className="timeline"
        role="log"
        aria-live="off"
        aria-label={strings.chat.messagesWith(snapshot.title)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="timeline-start" data-waiting={!snapshot.atStart || undefined}>
          {snapshot.atStart ? (
            <span>{strings.chat.beginning}</span>
          ) : (
            <Spinner label={strings.chat.loadingOlder} />
          )}
        </div>
        <ol ref={rows} className="rows" data-placing={!snapshot.ready || undefined}>
          {snapshot.items.map((item) => (
            <TimelineRow key={item.key} item={item} snapshot={snapshot} actions={actions} />
          ))}
        </ol>
        {!snapshot.atEnd && (
          <div className="timeline-start" data-waiting="">
            <Spinner label={strings.list.loading} />
          </div>
        )}
      </div>
      {snapshot.further > 0 && snapshot.ready && (
        <button type="button" className="to-first-unread" onClick={actions.toFirstUnread}>
          {strings.chat.toFirstUnread(snapshot.further)} <Icon name="up" size={16} />
        </button>
      )}
      {away && <JumpButton unread={snapshot.unread} onClick={toEnd} />}
      <div className="visually-hidden" aria-live="polite" dir="auto">
        {snapshot.announcement}
      </div>
    </div>
  );
}

function TimelineRow({
  item,
  snapshot,
  actions,
}: {
  item: TimelineItem;
  snapshot: TimelineSnapshot;
  actions: MessageActions;
}) {
  const { strings, clock } = usePage();
  switch (item.kind) {
    case "day":
      return (
        <li className="day" data-key={item.key}>
          <span>{clock.day(item.at, snapshot.now)}</span>
        </li>
      );
    case "unread":
      return (
        <li className="unread-line" data-key={item.key}>
          <span>{strings.chat.unreadLine}</span>
        </li>
      );
    case "system":
      return <SystemRow message={item.message} nameOf={snapshot.nameOf} />;
    case "message":
      return (
        <MessageRow
          message={item.message}
          first={item.first}
          last={item.last}
          group={snapshot.group}
          senderName={snapshot.nameOf(item.message.from)}
          actions={actions}
        />
      );
  }
}

function SystemRow({ message, nameOf }: { message: ShownMessage; nameOf: NameOf }) {
  const { strings, clock, user } = usePage();
  return (
    <li
      className="system"
      data-key={message.key}
      data-seq={message.seq}
      data-entry=""
      title={clock.full(message.time)}
    >
      <span>{systemText(message, nameOf, strings, user)}</span>
    </li>
  );
}

function JumpButton({ unread, onClick }: { unread: number; onClick: () => void }) {
  const { strings } = usePage();
  const label = strings.chat.toBottom(unread);
  return (
    <button type="button" className="jump" aria-label={label} title={label} onClick={onClick}>
      {unread > 0 && <span className="badge">{unread > 99 ? "99+" : unread}</span>}
      <Icon name="down" />
    </button>
  );
}

function Spinner({ label }: { label: string }) {
  return <span className="spinner" role="status" aria-label={label} />;
}
