import type { MessagesSnapshot } from "@hongyan/client";
import { lowestSeq } from "./unread-divider.ts";

/** The first and last entry of the log of which something can be read on the screen. */
export interface OnScreen {
  readonly first: number;
  readonly last: number;
}

/**
 * The rule of reading. A read position says: this person has seen everything up to here. So it moves, in a visible
 * tab, only
 *
 * 1. to the last entry on screen, when the screen joins what was read before: nothing that somebody else wrote lies
 *    between the read position and the top of the screen. Who reads on from the first unread message reads so.
 * 2. to the newest entry of all (`head`), when that is on screen: who stands at the end of a conversation has done
 *    with it, also with what they did not scroll through. Every chat does so, and it is decided here and not a side effect.
 *
 * Anywhere else, in the middle of what is unread, nothing becomes read by being on screen: what is above is not seen.
 *
 * @returns the new position, undefined where it stays
 */
export function readUpTo(
  screen: OnScreen,
  { read, head }: { readonly read: number; readonly head: number },
  { messages, atStart }: Pick<MessagesSnapshot, "messages" | "atStart">,
): number | undefined {
  if (screen.last <= read) return undefined;
  if (screen.last >= head) return screen.last;
  const lowest = lowestSeq(messages);
  if (lowest === undefined || (!atStart && lowest > read + 1)) return undefined;
  const isPassedOver = messages.some(
    ({ seq, own, system }) => seq > read && seq < screen.first && !own && !system,
  );
  return isPassedOver ? undefined : screen.last;
}
