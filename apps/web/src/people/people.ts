import type { User } from "@hongyan/client";

/** Lines shown at once; whoever looks for more people than that types. */
const shownMax = 200;

/** The people whose name or id contains the text, those who begin with it first. */
export function matchingPeople(
  people: readonly User[],
  text: string,
  without: ReadonlySet<string>,
): readonly User[] {
  const wanted = text.trim().toLocaleLowerCase();
  const found: { person: User; rank: number }[] = [];
  for (const person of people) {
    if (without.has(person.user)) continue;
    const name = (person.name ?? person.user).toLocaleLowerCase();
    const id = person.user.toLocaleLowerCase();
    const rank = name.startsWith(wanted)
      ? 0
      : id.startsWith(wanted)
        ? 1
        : name.includes(wanted) || id.includes(wanted)
          ? 2
          : -1;
    if (rank >= 0) found.push({ person, rank });
  }
  // Stable: equal ranks keep the order of the directory.
  return found
    .sort((one, other) => one.rank - other.rank)
    .slice(0, shownMax)
    .map(({ person }) => person);
}

/** The text as a user id that is not in the list: an id can be written to although it is not in the directory. */
export function unlistedId(
  text: string,
  people: readonly User[],
  without: ReadonlySet<string> = new Set(),
): string | undefined {
  const id = text.trim();
  if (without.has(id)) return undefined;
  if (!/^[A-Za-z0-9_.@+=-]{1,64}$/u.test(id)) return undefined;
  return people.some((person) => person.user === id) ? undefined : id;
}

/** Why nobody is offered for a text. */
export type NobodyFound = "empty" | "self" | "in-already" | "no-match";

export function nobodyFound(text: string, without: ReadonlySet<string>, self: string): NobodyFound {
  const id = text.trim();
  if (id === "") return "empty";
  if (id === self) return "self";
  return without.has(id) ? "in-already" : "no-match";
}

/** Somebody who was chosen by id stays in sight although the directory does not know them. */
export function withChosen(
  people: readonly User[],
  chosen: ReadonlySet<string> | undefined,
): readonly User[] {
  if (chosen === undefined) return people;
  const known = new Set(people.map((person) => person.user));
  const others = [...chosen].filter((user) => !known.has(user));
  return others.length === 0 ? people : [...people, ...others.map((user) => ({ user, name: undefined }))];
}
