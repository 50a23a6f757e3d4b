import { decodeUtf8 } from "@hongyan/protocol";
import type { Message } from "./backend.ts";
import { encodeMessage, systemPrefix } from "./message.ts";

/** What a system entry says. */
export interface Notice {
  readonly event: "created" | "added" | "removed" | "left" | "joined" | "renamed" | "role";
  readonly details: Record<string, unknown>;
}

const utf8 = new TextEncoder();

export function encodeNotice(from: string, { event, details }: Notice): Uint8Array {
  return encodeMessage(from, "", systemPrefix + event, utf8.encode(JSON.stringify(details)));
}

/** Whose part in the conversation a system entry changes: an heir becomes owner when the last owner goes. */
export function usersOfNotice(message: Message): string[] {
  const { users = [], user, owner } = detailsOf(message);
  return [...users, user, owner].filter((one) => one !== undefined);
}

/** Whether the user is no member any more from this entry on. */
export function endsStay(message: Message, user: string): boolean {
  const { messageType } = message;
  const isEnd = messageType === `${systemPrefix}removed` || messageType === `${systemPrefix}left`;
  return isEnd && detailsOf(message).users?.includes(user) === true;
}

interface Details {
  readonly users?: readonly string[];
  readonly user?: string;
  readonly owner?: string;
}

function detailsOf({ body }: Message): Details {
  return JSON.parse(decodeUtf8(body, 0, body.length)) as Details;
}
