import type { MessageStatus } from "@hongyan/client";
import { useStrings } from "../page/page-context.ts";
import type { Strings } from "../text/strings.ts";

type OwnStatus = Exclude<MessageStatus, "received">;

const drawings: Record<OwnStatus, string> = {
  queued: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4.5V8l2.3 1.6",
  stored: "M3 8.5l3.3 3.3L13 4.8",
  delivered: "M1 8.5l3.3 3.3L11 4.8M8.8 11.5l.3.3L16 4.8",
  read: "M1 8.5l3.3 3.3L11 4.8M8.8 11.5l.3.3L16 4.8",
  failed: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4.5v4.2M8 11.2v.01",
};

export function statusLabel(status: OwnStatus, { state }: Strings): string {
  return state[status];
}

/** Clock, one tick, two ticks, two coloured ticks; or a mark that it failed. */
export function Ticks({ status }: { status: MessageStatus }) {
  const strings = useStrings();
  if (status === "received") return null;
  return (
    <svg
      className="ticks"
      data-status={status}
      width="17"
      height="16"
      viewBox="0 0 17 16"
      role="img"
      aria-label={statusLabel(status, strings)}
    >
      <path
        d={drawings[status]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
