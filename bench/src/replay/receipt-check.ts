import { stringEnd, uintAt } from "../wire/frame-bytes.ts";
import type { Ledger } from "./ledger.ts";
import type { Seat } from "./seat.ts";

/** Seats of each user's devices, by user and group. */
export type Readers = readonly ReadonlyMap<number, readonly Seat[]>[];

/**
 * G5: a receipt may only say what is true: some device of that user was shown everything up to there. The frame is
 * looked at where it lies; there are millions of them.
 */
export function checkReceipt(
  readers: Readers,
  ledger: Ledger,
  device: string,
  bytes: Buffer,
  start: number,
): void {
  const groupEnd = stringEnd(bytes, start + 13);
  const userEnd = stringEnd(bytes, groupEnd);
  const group = numberIn(bytes, start + 15, groupEnd);
  const user = numberIn(bytes, groupEnd + 2, userEnd);
  const delivered = uintAt(bytes, userEnd);
  const seats = readers[user]?.get(group);
  if (seats?.some(({ position }) => position >= delivered) === true) return;
  ledger.violate(
    `G5: ${device} was told that u${user} has ${delivered} of g${group}, which none of its devices was shown`,
  );
}

function numberIn(bytes: Buffer, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at++) number = number * 10 + (bytes[at] as number) - 48;
  return number;
}
