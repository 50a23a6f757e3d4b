import { usePage } from "../page/page-context.ts";
import type { Strings } from "../text/strings.ts";
import type { ConnectionNotice } from "./connection-notice.ts";

export interface ConnectionActions {
  /** Connect now: before the pause is over, or although another place has taken over. */
  connect(): void;
  /** Leave the account to sign in with a new link. */
  signInAgain(): void;
}

/** One calm line over the page; nothing while everything works. */
export function ConnectionBar({ notice, actions }: { notice: ConnectionNotice; actions: ConnectionActions }) {
  const { strings } = usePage();
  const button = buttonOf(notice, actions, strings);
  return (
    <div className="connection" role="status" aria-live="polite" data-kind={notice.kind}>
      {notice.kind !== "none" && (
        <p>
          {(notice.kind === "connecting" || notice.kind === "reconnecting") && (
            <span className="spinner" data-small="" />
          )}
          {/* The seconds change every second: a screen reader hears only that the connection is lost. */}
          {notice.kind === "reconnecting" ? (
            <>
              <span aria-hidden="true">{strings.connection.reconnecting(notice.seconds)}</span>
              <span className="visually-hidden">{strings.connection.reconnecting(0)}</span>
            </>
          ) : (
            <span>{noticeText(notice, strings)}</span>
          )}
          {button !== undefined && (
            <button type="button" className="text-button" onClick={button.onClick}>
              {button.label}
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function noticeText(notice: ConnectionNotice, { connection }: Strings): string {
  switch (notice.kind) {
    case "none":
      return connection.online;
    case "stopped":
      return connection.stopped(notice.reason);
    case "reconnecting":
      return connection.reconnecting(notice.seconds);
    default:
      return connection[notice.kind];
  }
}

function buttonOf(notice: ConnectionNotice, actions: ConnectionActions, { connection }: Strings) {
  switch (notice.kind) {
    case "replaced":
    case "stopped":
      return { label: connection.takeOver, onClick: actions.connect };
    case "reconnecting":
      return { label: connection.tryNow, onClick: actions.connect };
    case "expired":
    case "unauthorized":
      return { label: connection.signInAgain, onClick: actions.signInAgain };
    default:
      return undefined;
  }
}
