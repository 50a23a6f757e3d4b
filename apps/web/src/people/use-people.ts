import type { Client, User } from "@hongyan/client";
import { useConversations } from "@hongyan/client/react";
import { useEffect, useMemo, useState } from "react";
import { usePage } from "../page/page-context.ts";

export type People =
  | { readonly status: "loading"; readonly people: readonly User[] }
  | { readonly status: "ready"; readonly people: readonly User[] };

/** More people than this are found by their id only. */
const peopleMax = 5_000;

/**
 * The directory of the domain, page by page. A server may not show one, or be away: then it is the people one
 * already talks with.
 */
export function usePeople(): People {
  const { client } = usePage();
  const conversations = useConversations();
  const [directory, setDirectory] = useState<People>({ status: "loading", people: [] });
  useEffect(() => {
    const left = new AbortController();
    void loadDirectory(client, left.signal, setDirectory);
    return () => left.abort();
  }, [client]);
  return useMemo(() => {
    const known = new Map<string, User>(directory.people.map((person) => [person.user, person]));
    for (const { peer } of conversations) {
      if (peer !== undefined && !known.has(peer))
        known.set(peer, { user: peer, name: client.profile(peer).snapshot.name });
    }
    return { ...directory, people: [...known.values()] };
  }, [client, conversations, directory]);
}

async function loadDirectory(
  client: Client,
  left: AbortSignal,
  show: (people: People) => void,
): Promise<void> {
  let people: readonly User[] = [];
  try {
    let next: string | undefined;
    do {
      const page = await client.directory(next);
      if (left.aborted) return;
      people = [...people, ...page.items];
      next = page.next;
      show({ status: "loading", people });
    } while (next !== undefined && people.length < peopleMax);
  } catch {
    // Not shown to this user, or no connection: what is known stays.
  }
  if (!left.aborted) show({ status: "ready", people });
}
