import { usePage } from "../page/page-context.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";

export interface ChatHeaderSnapshot {
  readonly title: string;
  readonly avatarId: string;
  readonly kind: "direct" | "group";
  readonly subtitle: string;
  readonly details: boolean;
}

export interface ChatHeaderActions {
  back(): void;
  showDetails(): void;
}

export function ChatHeader({
  snapshot,
  actions,
}: {
  snapshot: ChatHeaderSnapshot;
  actions: ChatHeaderActions;
}) {
  const { strings } = usePage();
  const { title, avatarId, kind, subtitle, details } = snapshot;
  const name = (
    <>
      <Avatar id={avatarId} name={title} kind={kind} size="small" />
      <span className="chat-name">
        <bdi className="chat-title">{title}</bdi>
        <span className="chat-subtitle">{subtitle}</span>
      </span>
    </>
  );
  return (
    <header className="chat-header">
      <button
        type="button"
        className="icon-button back"
        aria-label={strings.back}
        title={strings.back}
        onClick={actions.back}
      >
        <Icon name="back" />
      </button>
      <h1>
        {details ? (
          <button
            type="button"
            className="chat-heading"
            title={strings.chat.details}
            onClick={actions.showDetails}
          >
            {name}
          </button>
        ) : (
          <span className="chat-heading">{name}</span>
        )}
      </h1>
      {details && (
        <button
          type="button"
          className="icon-button"
          aria-label={strings.chat.details}
          title={strings.chat.details}
          onClick={actions.showDetails}
        >
          <Icon name="info" />
        </button>
      )}
    </header>
  );
}
