import type { Conversation, Member } from "@hongyan/client";
import { useMembers } from "@hongyan/client/react";
import { useMemo, useState } from "react";
import { directConversation } from "../chat/open-conversation.ts";
import { type NameOf, useNames } from "../names/use-names.ts";
import { usePage } from "../page/page-context.ts";
import { route } from "../page/route.ts";
import { reasonOf } from "../text/reason.ts";

export interface GroupDetailsModel {
  readonly members: readonly Member[];
  readonly loaded: boolean;
  /** May rename, add and remove. */
  readonly manages: boolean;
  readonly nameOf: NameOf;
  readonly failure: string | undefined;
  rename(name: string): Promise<boolean>;
  add(users: readonly string[]): Promise<string | undefined>;
  remove(user: string): Promise<void>;
  leave(): Promise<boolean>;
  writeTo(user: string): void;
}

export function useGroupDetails({ conversation, role }: Conversation): GroupDetailsModel {
  const { client, strings, user: self } = usePage();
  const { members, loaded } = useMembers(conversation);
  const nameOf = useNames(useMemo(() => members.map((member) => member.user), [members]));
  const [failure, setFailure] = useState<string | undefined>(undefined);

  const attempt = async (call: Promise<void>): Promise<string | undefined> => {
    try {
      await call;
      setFailure(undefined);
      return undefined;
    } catch (error) {
      return strings.people.failed(reasonOf(error, strings));
    }
  };
  const attemptShown = async (call: Promise<void>): Promise<boolean> => {
    const reason = await attempt(call);
    setFailure(reason);
    return reason === undefined;
  };

  return {
    members,
    loaded,
    manages: role === "owner" || role === "admin",
    nameOf,
    failure,
    rename: (name) => attemptShown(client.rename(conversation, name)),
    async add(users) {
      const reason = await attempt(client.addMembers(conversation, users));
      if (reason === undefined)
        await client
          .members(conversation)
          .refresh()
          .catch(() => undefined);
      return reason;
    },
    async remove(user) {
      await attemptShown(client.removeMember(conversation, user));
      await client
        .members(conversation)
        .refresh()
        .catch(() => undefined);
    },
    leave: () => attemptShown(client.leave(conversation)),
    writeTo: (user) => route.open(directConversation(self, user)),
  };
}
