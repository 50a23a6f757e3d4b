import type { Client } from "@hongyan/client";
import { createContext, useContext } from "react";
import type { Drafts } from "../chat/drafts.ts";
import type { Strings } from "../text/strings.ts";
import type { Clock } from "../text/time.ts";

/** What every view-model of a signed-in page reaches: one client, one language, one account. */
export interface Page {
  readonly client: Client;
  /** The signed-in user. */
  readonly user: string;
  readonly strings: Strings;
  readonly clock: Clock;
  readonly drafts: Drafts;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) throw new Error("outside of a page");
  return page;
}

export function useStrings(): Strings {
  return usePage().strings;
}
