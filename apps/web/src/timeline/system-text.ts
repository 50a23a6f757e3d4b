import type { NameOf } from "../names/use-names.ts";
import type { Strings } from "../text/strings.ts";

interface SystemEntry {
  readonly from: string;
  readonly messageType: string | undefined;
  readonly text: string | undefined;
}

interface SystemFields {
  readonly users: readonly string[];
  readonly name: string;
  readonly role: string;
  readonly by: string;
}

/** The users that a system entry names: their profiles are needed for its sentence. */
export function usersOf(entry: SystemEntry): readonly string[] {
  const { users, by } = fieldsOf(entry);
  return [by, ...users].filter((user) => user !== "");
}

/** A `hongyan.*` entry as a sentence. An entry of a newer server that is not known here becomes a general one. */
export function systemText(entry: SystemEntry, nameOf: NameOf, strings: Strings, self: string): string {
  const fields = fieldsOf(entry);
  const person = (user: string) => (user === "" ? "" : user === self ? strings.you : isolate(nameOf(user)));
  const by = person(fields.by);
  const users = strings.system.list(fields.users.map(person));
  switch (entry.messageType) {
    case "hongyan.created":
      return strings.system.created(by);
    case "hongyan.added":
      return strings.system.added(by, users);
    case "hongyan.removed":
      return strings.system.removed(by, users);
    case "hongyan.left":
      return strings.system.left(by);
    case "hongyan.joined":
      return strings.system.joined(by);
    case "hongyan.renamed":
      return strings.system.renamed(by, isolate(fields.name));
    case "hongyan.role":
      return strings.system.role(by, users, fields.role);
    default:
      return strings.system.other;
  }
}

/** First-strong isolate: a name cannot turn the direction of the sentence around it. */
export function isolate(text: string): string {
  return `\u2068${text}\u2069`;
}

function fieldsOf({ from, text }: SystemEntry): SystemFields {
  const body = parse(text);
  const single = typeof body.user === "string" ? [body.user] : [];
  return {
    users: Array.isArray(body.users)
      ? body.users.filter((user): user is string => typeof user === "string")
      : single,
    name: typeof body.name === "string" ? body.name : "",
    role: typeof body.role === "string" ? body.role : "",
    by: typeof body.by === "string" ? body.by : from,
  };
}

function parse(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
