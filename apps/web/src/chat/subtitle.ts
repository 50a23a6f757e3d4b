import type { Conversation } from "@hongyan/client";
import type { Strings } from "../text/strings.ts";

/** What stands below the title of an open conversation. */
export function subtitleOf(
  { kind, role, members, peer }: Conversation,
  title: string,
  { chat }: Strings,
): string {
  if (kind === "group") return role === "none" ? chat.left : chat.members(members);
  return title === peer ? chat.direct : (peer ?? "");
}
