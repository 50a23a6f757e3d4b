/** As much of XMPP as a client needs: cuts stanzas out of the stream and looks at few of their parts, as bytes. */
import type { Outgoing } from "../../wire/outgoing.ts";

const [less, greater, slash, question] = [0x3c, 0x3e, 0x2f, 0x3f];

/**
 * Where the element that begins at `at` ends, with all that is in it; -1 while it is incomplete. The head of a stream
 * and a declaration end with their tag, and so does the end of the stream. A server that is trusted here escapes `>`.
 */
export function elementEnd(bytes: Buffer, at: number, limit: number): number {
  let depth = 0;
  for (let i = at; i < limit; i++) {
    if (bytes[i] !== less) continue;
    const isEndTag = bytes[i + 1] === slash;
    let end = i + 1;
    while (end < limit && bytes[end] !== greater) end++;
    if (end >= limit) return -1;
    if (isEndTag) depth--;
    else if (bytes[i + 1] === question || isStreamHead(bytes, i)) return end + 1;
    else if (bytes[end - 1] !== slash) depth++;
    if (depth <= 0) return end + 1;
    i = end;
  }
  return -1;
}

const streamHead = Buffer.from("<stream:stream");

function isStreamHead(bytes: Buffer, at: number): boolean {
  for (let i = 0; i < streamHead.length; i++) if (bytes[at + i] !== streamHead[i]) return false;
  return true;
}

/** Whether `bytes[start, end)` begins with `text`. */
export function beginsWith(bytes: Buffer, start: number, end: number, text: Buffer): boolean {
  return end - start >= text.length && bytes.compare(text, 0, text.length, start, start + text.length) === 0;
}

/** Where `text` begins in the range; -1 where it does not occur. */
export function find(bytes: Buffer, start: number, end: number, text: Buffer): number {
  const at = bytes.indexOf(text, start);
  return at >= 0 && at + text.length <= end ? at : -1;
}

/** The value of the attribute in the first tag of the range, by position in `into`; false where there is none. */
export function attribute(
  bytes: Buffer,
  start: number,
  end: number,
  name: Buffer,
  into: { start: number; end: number },
): boolean {
  const at = find(bytes, start, end, name);
  if (at < 0) return false;
  into.start = at + name.length + 1;
  // Single or double, as the server likes; `name` ends with the `=`.
  into.end = bytes.indexOf(bytes[at + name.length] as number, into.start);
  return into.end > 0 && into.end < end;
}

/** Digits up to whatever else comes. */
export function digitsFrom(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; (bytes[i] as number) >= 0x30 && (bytes[i] as number) <= 0x39; i++)
    value = value * 10 + (bytes[i] as number) - 0x30;
  return value;
}

/** Appends pieces of text. */
export function writeAll(connection: Outgoing, parts: readonly Uint8Array[]): void {
  for (const part of parts) connection.write(part);
}
