import type { Client } from "@hongyan/client";
import { HongyanProvider } from "@hongyan/client/react";
import { useMemo } from "react";
import type { Drafts } from "../chat/drafts.ts";
import type { Strings } from "../text/strings.ts";
import { clockOf } from "../text/time.ts";
import { PageContext } from "./page-context.ts";
import { Shell, type ShellActions } from "./shell.tsx";

export interface SignedInProps {
  readonly client: Client;
  readonly user: string;
  readonly drafts: Drafts;
  readonly strings: Strings;
  readonly actions: ShellActions;
}

export function SignedIn({ client, user, drafts, strings, actions }: SignedInProps) {
  const page = useMemo(
    () => ({ client, user, drafts, strings, clock: clockOf(strings.locale, strings) }),
    [client, user, drafts, strings],
  );
  return (
    <HongyanProvider client={client}>
      <PageContext.Provider value={page}>
        <Shell actions={actions} />
      </PageContext.Provider>
    </HongyanProvider>
  );
}
