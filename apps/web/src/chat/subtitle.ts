import type { Conversation } from "@hongyan/client";
import type { Strings } from "../text/strings.ts";

/** What stands below the title of an open conversation. */
export function subtitleOf(
  { kind, role, members, peer }: Conversation,
  title: string,
  online: boolean | undefined,
  { chat }: Strings,
): string {
  if (kind === "group") return role === "none" ? chat.left : chat.members(members);
  const state = online === undefined ? undefined : online ? chat.online : chat.offline;
  if (title === peer) return state ?? chat.direct;
  return state === undefined ? (peer ?? "") : `${peer} · ${state}`;
}
