import type { ConnectionState } from "@hongyan/client";

/** What the bar above the conversations says; `none` while everything is as it should be. */
export type ConnectionNotice =
  | { readonly kind: "none" }
  | { readonly kind: "connecting" }
  | { readonly kind: "offline" }
  | { readonly kind: "reconnecting"; readonly seconds: number }
  | { readonly kind: "replaced" }
  | { readonly kind: "expired" }
  | { readonly kind: "unauthorized" }
  | { readonly kind: "stopped"; readonly reason: string };

/** @param online what the browser knows of the network: false is certain, true means little */
export function connectionNotice(state: ConnectionState, online: boolean, now: number): ConnectionNotice {
  switch (state.status) {
    case "live":
      return { kind: "none" };
    case "idle":
    case "connecting":
    case "authenticating":
    case "syncing":
      return online ? { kind: "connecting" } : { kind: "offline" };
    case "waiting":
      if (!online) return { kind: "offline" };
      return { kind: "reconnecting", seconds: Math.max(0, Math.ceil((state.retryAt - now) / 1000)) };
    case "stopped":
      return stoppedNotice(state);
  }
}

function stoppedNotice(state: Extract<ConnectionState, { status: "stopped" }>): ConnectionNotice {
  switch (state.reason) {
    case "stopped":
      return { kind: "none" };
    case "replaced":
      return { kind: "replaced" };
    case "token_expired":
      return { kind: "expired" };
    case "unauthorized":
    case "other_user":
      return { kind: "unauthorized" };
    default:
      return { kind: "stopped", reason: state.message };
  }
}
