import type { ReactNode } from "react";
import { Avatar } from "../parts/avatar.tsx";
import { OnlineDot } from "./online-dot.tsx";

export interface PersonProps {
  readonly user: string;
  readonly name: string;
  /** Behind the name, in brackets. */
  readonly suffix?: string | undefined;
  /** Below the name; by default the id where it is not the name. */
  readonly note?: string | undefined;
  /** Whether a dot shows that they are online. */
  readonly dot?: boolean | undefined;
}

/** One person in a list; `children` stand at the end of the line. */
export function PersonLine({ children, ...person }: PersonProps & { children?: ReactNode }) {
  return (
    <li className="person" data-user={person.user}>
      <PersonContent {...person} />
      {children}
    </li>
  );
}

export function PersonContent({
  user,
  name,
  suffix,
  note = name === user ? undefined : user,
  dot = false,
}: PersonProps) {
  return (
    <>
      <span className="person-avatar">
        <Avatar id={user} name={name} size="small" />
        {dot && <OnlineDot user={user} />}
      </span>
      <span className="person-name">
        <span>
          <bdi>{name}</bdi>
          {suffix !== undefined && ` (${suffix})`}
        </span>
        {note !== undefined && <small>{note}</small>}
      </span>
    </>
  );
}
