import { useOnline } from "@hongyan/client/react";
import { usePage } from "../page/page-context.ts";

/** Shows that a user is online, at the avatar that stands before it. Nothing where they are not, or nobody knows. */
export function OnlineDot({ user }: { user: string }) {
  const { strings } = usePage();
  if (useOnline(user) !== true) return null;
  return (
    <span className="online-dot" title={strings.chat.online}>
      <span className="visually-hidden">{strings.chat.online}</span>
    </span>
  );
}
