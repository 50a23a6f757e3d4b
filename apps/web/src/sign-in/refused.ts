import type { ConnectionState } from "@hongyan/client";

/**
 * The server does not know whose token this is, and nothing is kept here that could be read without it: then there is
 * nobody signed in. Where something is kept it stays in sight, with a word above it.
 */
export function isRefused(state: ConnectionState, conversations: readonly unknown[]): boolean {
  return state.status === "stopped" && state.reason === "unauthorized" && conversations.length === 0;
}
