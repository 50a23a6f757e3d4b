import { useDeferredValue, useMemo, useState } from "react";
import { usePage } from "../page/page-context.ts";
import { Icon } from "../parts/icon.tsx";
import type { Strings } from "../text/strings.ts";
import { matchingPeople, type NobodyFound, nobodyFound, unlistedId, withChosen } from "./people.ts";
import { PersonContent } from "./person-line.tsx";
import type { People } from "./use-people.ts";

export interface PeoplePickerProps {
  readonly people: People;
  /** Not offered: oneself, or who is in already. */
  readonly without: ReadonlySet<string>;
  /** Chosen ones carry a mark; undefined where one choice is the end. */
  readonly chosen?: ReadonlySet<string>;
  onPick(user: string): void;
}

/** A search field and the people it finds. */
export function PeoplePicker({ people, without, chosen, onPick }: PeoplePickerProps) {
  const { strings, user } = usePage();
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text);
  const listed = useMemo(() => withChosen(people.people, chosen), [people.people, chosen]);
  const found = useMemo(() => matchingPeople(listed, wanted, without), [listed, wanted, without]);
  const unlisted = unlistedId(wanted, listed, without);
  return (
    <>
      <div className="search">
        <Icon name="search" size={18} />
        <input
          type="search"
          value={text}
          dir="auto"
          data-autofocus=""
          placeholder={strings.people.search}
          aria-label={strings.people.search}
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            const best = found[0]?.user ?? unlisted;
            if (event.key !== "Enter" || event.nativeEvent.isComposing || best === undefined) return;
            event.preventDefault();
            onPick(best);
            setText("");
          }}
        />
      </div>
      <ul className="sheet-scroll people">
        {found.map((person) => (
          <Choice
            key={person.user}
            user={person.user}
            name={person.name ?? person.user}
            chosen={chosen}
            onPick={onPick}
          />
        ))}
        {unlisted !== undefined && (
          <Choice user={unlisted} name={strings.people.byId(unlisted)} chosen={chosen} onPick={onPick} />
        )}
        {people.status === "loading" && (
          <li className="empty" role="status">
            <span className="spinner" />
            <span className="visually-hidden">{strings.people.loading}</span>
          </li>
        )}
        {people.status === "ready" && found.length === 0 && unlisted === undefined && (
          <li className="empty" role="status">
            {nobodyText(nobodyFound(wanted, without, user), wanted.trim(), strings)}
          </li>
        )}
      </ul>
    </>
  );
}

function nobodyText(why: NobodyFound, text: string, { people }: Strings): string {
  switch (why) {
    case "empty":
      return people.empty;
    case "self":
      return people.self;
    case "in-already":
      return people.inAlready(text);
    case "no-match":
      return people.noMatch(text);
  }
}

function Choice({
  user,
  name,
  chosen,
  onPick,
}: {
  user: string;
  name: string;
  chosen: ReadonlySet<string> | undefined;
  onPick: (user: string) => void;
}) {
  const pressed = chosen?.has(user);
  return (
    <li>
      <button
        type="button"
        className="person"
        aria-pressed={pressed}
        data-user={user}
        onClick={() => onPick(user)}
      >
        <PersonContent user={user} name={name} dot />
        {pressed !== undefined && (
          <span className="mark" aria-hidden="true">
            {pressed && <Icon name="check" size={16} />}
          </span>
        )}
      </button>
    </li>
  );
}
