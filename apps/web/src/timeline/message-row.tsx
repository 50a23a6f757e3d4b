import type { ShownMessage } from "@hongyan/client";
import { memo } from "react";
import { usePage } from "../page/page-context.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";
import { hueOf } from "../text/initials.ts";
import { canWorkAgain } from "./failure.ts";
import { MessageText } from "./message-text.tsx";
import { Ticks } from "./ticks.tsx";

export interface MessageActions {
  retry(message: ShownMessage): void;
  /** Copies a message that was not sent into the composer. It stays until it is discarded: a draft is kept less safely. */
  edit(message: ShownMessage): void;
  discard(message: ShownMessage): void;
  /** Who has it; only in groups. */
  showReceipts(message: ShownMessage): void;
}

export interface MessageRowProps {
  readonly message: ShownMessage;
  readonly first: boolean;
  readonly last: boolean;
  readonly group: boolean;
  readonly senderName: string;
  readonly actions: MessageActions;
}

export const MessageRow = memo(function MessageRow({
  message,
  first,
  last,
  group,
  senderName,
  actions,
}: MessageRowProps) {
  const { strings } = usePage();
  const others = group && !message.own;
  return (
    <li
      className="message"
      data-key={message.key}
      data-seq={message.seq}
      data-entry=""
      data-own={message.own || undefined}
      data-first={first || undefined}
      data-last={last || undefined}
      data-group={others || undefined}
      data-status={message.status}
    >
      {others && last && <Avatar id={message.from} name={senderName} size="small" />}
      <div className="bubble">
        <span className="visually-hidden">{message.own ? strings.you : senderName}: </span>
        {others && first && (
          <bdi className="sender" data-hue={hueOf(message.from)} aria-hidden="true">
            {senderName}
          </bdi>
        )}
        <MessageText
          text={message.text ?? `(${strings.chat.notText})`}
          isFailed={message.status === "failed"}
        >
          <MessageMeta message={message} group={group} actions={actions} />
        </MessageText>
      </div>
      {message.status === "failed" && <FailureLine message={message} actions={actions} />}
    </li>
  );
});

function MessageMeta({
  message,
  group,
  actions,
}: {
  message: ShownMessage;
  group: boolean;
  actions: MessageActions;
}) {
  const { strings, clock } = usePage();
  const content = (
    <>
      <time dir="ltr" dateTime={new Date(message.time).toISOString()} title={clock.full(message.time)}>
        {clock.time(message.time)}
      </time>
      <Ticks status={message.status} />
    </>
  );
  if (!group || !message.own || message.seq === 0) {
    return <span className="meta">{content}</span>;
  }
  return (
    <button
      type="button"
      className="meta"
      title={strings.receipts.open}
      onClick={() => actions.showReceipts(message)}
    >
      {content}
      <span className="visually-hidden">{strings.receipts.open}</span>
    </button>
  );
}

function FailureLine({ message, actions }: { message: ShownMessage; actions: MessageActions }) {
  const { strings } = usePage();
  const reason = message.failure === undefined ? "" : `: ${strings.state.reason(message.failure.code)}`;
  return (
    <div className="failure" role="alert">
      <span title={message.failure?.message}>
        {strings.state.failed}
        {reason}
      </span>
      {canWorkAgain(message.failure) ? (
        <button type="button" className="text-button" onClick={() => actions.retry(message)}>
          <Icon name="retry" size={14} /> {strings.state.retry}
        </button>
      ) : (
        message.text !== undefined && (
          <button type="button" className="text-button" onClick={() => actions.edit(message)}>
            <Icon name="edit" size={14} /> {strings.state.edit}
          </button>
        )
      )}
      <button type="button" className="text-button" onClick={() => actions.discard(message)}>
        {strings.state.discard}
      </button>
    </div>
  );
}
