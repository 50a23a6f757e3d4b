/** What may stand in an id. ASCII without separators, so that an id is the same in every codec, key and URL. */
import { limits } from "./limits.ts";

const idPattern = /^[A-Za-z0-9_.@+=-]{1,64}$/;
const groupIdPattern = idPattern;

/** True for a well-formed domain, user, device or group id. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** A client message id is any text without control characters; see `docs/protocol.md` for the numbered form. */
export function isClientMessageId(text: string): boolean {
  return text.length > 0 && isPlain(text, limits.clientMessageIdLengthMax);
}

/** A message type is any text without control characters; whose it is (`hongyan.`) is not looked at. */
export function isMessageType(text: string): boolean {
  return isPlain(text, limits.messageTypeLengthMax);
}

/** Asked for each message: a loop costs less than a pattern. */
function isPlain(text: string, lengthMax: number): boolean {
  if (text.length > lengthMax) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return false;
  }
  return text.isWellFormed();
}

/**
 * The id of the one-to-one conversation of two users: both ids in ascending order, joined by a colon.
 * Both sides compute the same id without asking, so that a first message can be written offline.
 */
export function directConversationId(one: string, other: string): string {
  return one < other ? `${one}:${other}` : `${other}:${one}`;
}

/** The two users of a direct conversation id, or undefined for any other id. */
export function directConversationUsers(conversation: string): readonly [string, string] | undefined {
  const colon = conversation.indexOf(":");
  if (colon < 0) return undefined;
  const one = conversation.slice(0, colon);
  const other = conversation.slice(colon + 1);
  return isId(one) && isId(other) && one <= other ? [one, other] : undefined;
}

/** True for the id of a group or of a direct conversation. */
export function isConversationId(text: string): boolean {
  return groupIdPattern.test(text) || directConversationUsers(text) !== undefined;
}
