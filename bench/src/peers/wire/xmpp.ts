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

/** Where `text` begins in the range; -1 where it does not occur. Looks no further than the range. */
export function find(bytes: Buffer, start: number, end: number, text: Buffer): number {
  const at = bytes.subarray(start, end).indexOf(text);
  return at < 0 ? -1 : start + at;
}

const marks: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;" };
/** What marks up, and what XML has no way to write. */
const unfit = /[&<>\r]|[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** UTF-8 text as the content of an element; a character that XML cannot carry becomes U+FFFD. */
export function xmlText(text: Buffer): Buffer {
  return Buffer.from(text.toString().replace(unfit, (character) => marks[character] ?? "\ufffd"));
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
