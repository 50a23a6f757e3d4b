import { isUtf8 } from "node:buffer";

/**
 * Checks text that arrives in pieces. `bytes[from, to)` begins with a whole character. Returns where the last whole
 * character ends, or -1 where the bytes cannot be the beginning of well-formed UTF-8, whatever follows.
 */
export function checkUtf8(bytes: Uint8Array, from: number, to: number): number {
  const end = lastWhole(bytes, from, to);
  if (end > from && !isUtf8(bytes.subarray(from, end))) return -1;
  return end === to || mayBegin(bytes, end, to) ? end : -1;
}

/** Where the last character begins if it is cut off by `to`, otherwise `to`. */
function lastWhole(bytes: Uint8Array, from: number, to: number): number {
  for (let at = to - 1; at >= from && at >= to - 3; at--) {
    const byte = bytes[at] as number;
    if (byte < 0x80) return to;
    if (byte >= 0xc0) return to - at < lengthBy(byte) ? at : to;
  }
  return to;
}

function lengthBy(lead: number): number {
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

/** Whether a lead byte and the continuation bytes after it can still become a character (Unicode, table 3-7). */
function mayBegin(bytes: Uint8Array, at: number, to: number): boolean {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return false;
  if (to - at < 2) return true;
  const second = bytes[at + 1] as number;
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second < 0xa0;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second < 0x90;
    default:
      return true;
  }
}
