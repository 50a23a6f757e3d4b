import type { LocalMessage, Message } from "../api.ts";
import { compareNumbers } from "../numbering.ts";

/**
 * A refused message has no seq and never gets one; it stays where it was sent. This is the index of the entry that it
 * stands before. What this device has sent is compared by number: certain. All else is compared by time, of which
 * this device has one clock and the server another: a message of somebody else may be on the wrong side of it by as
 * much as these differ.
 */
export function failedPlace(
  { clientMessageId, time }: LocalMessage,
  entries: readonly Message[],
  user: string | undefined,
): number {
  const orders = entries.map((entry) =>
    entry.from === user ? compareNumbers(entry.clientMessageId, clientMessageId) : undefined,
  );
  const next = orders.findIndex((order) => order !== undefined && order > 0);
  let place = next < 0 ? entries.length : next;
  for (; place > 0; place--) {
    const [entry, order] = [entries[place - 1], orders[place - 1]];
    if (entry === undefined || order !== undefined || entry.time <= time) break;
  }
  return place;
}
