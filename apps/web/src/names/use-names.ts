import { useView } from "@hongyan/client/react";
import { useMemo } from "react";
import { usePage } from "../page/page-context.ts";
import { combineViews } from "./combine-views.ts";

/** The name of a user as far as it is known, the id otherwise. */
export type NameOf = (user: string) => string;

/** Watches the names of these users. The function changes its identity when one of the names does. */
export function useNames(users: Iterable<string>): NameOf {
  const { client } = usePage();
  const key = [...new Set(users)].sort().join("\n");
  const profiles = useMemo(
    () => combineViews((key === "" ? [] : key.split("\n")).map((user) => client.profile(user))),
    [client, key],
  );
  const known = useView(profiles);
  return useMemo(() => {
    const names = new Map(known.map((profile) => [profile.user, profile.name]));
    return (user: string) => names.get(user) ?? user;
  }, [known]);
}
