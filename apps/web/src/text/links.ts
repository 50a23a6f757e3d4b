/**
 * Cuts a message text into pieces that a view renders as elements. Nothing here produces HTML: a text can only
 * become text nodes, `<a>` with an http(s) or mailto address, or `<code>`.
 */
export type TextPiece =
  | { kind: "text"; text: string }
  | { kind: "link"; text: string; href: string }
  | { kind: "code"; text: string }
  | { kind: "block"; text: string };

/** Beyond this many characters links are not looked for: the cost of rendering stays bounded. */
const scannedCharactersMax = 20_000;
const linkPattern =
  /\b(?:https?:\/\/|www\.)[^\s<>"'`\u3000-\u303f\uff00-\uffef\u202a-\u202e\u2066-\u2069]{1,2048}/giu;
const fencePattern = /```(?:[\w+-]*\n)?([\s\S]*?)```|`([^`\n]+)`/gu;
/** Ends of sentences that people type after an address. */
const trailing = /[.,;:!?'"*_~]+$/u;

export function textPieces(text: string): TextPiece[] {
  if (text.length > scannedCharactersMax) return [{ kind: "text", text }];
  const pieces: TextPiece[] = [];
  let end = 0;
  for (const match of text.matchAll(fencePattern)) {
    addLinks(pieces, text.slice(end, match.index));
    const block = match[1];
    if (block !== undefined) pieces.push({ kind: "block", text: block.replace(/\n$/u, "") });
    else pieces.push({ kind: "code", text: match[2] ?? "" });
    end = match.index + match[0].length;
  }
  addLinks(pieces, text.slice(end));
  return pieces;
}

function addLinks(pieces: TextPiece[], text: string): void {
  let end = 0;
  for (const match of text.matchAll(linkPattern)) {
    const address = withoutTrailing(match[0]);
    const href = safeHref(address);
    if (href === undefined) continue;
    addText(pieces, text.slice(end, match.index));
    pieces.push({ kind: "link", text: address, href });
    end = match.index + address.length;
  }
  addText(pieces, text.slice(end));
}

function addText(pieces: TextPiece[], text: string): void {
  if (text.length > 0) pieces.push({ kind: "text", text });
}

function withoutTrailing(address: string): string {
  let cut = address.replace(trailing, "");
  // A closing bracket belongs to the address only if it was opened in it.
  while (cut.endsWith(")") && count(cut, "(") < count(cut, ")")) cut = cut.slice(0, -1).replace(trailing, "");
  while (cut.endsWith("]") && count(cut, "[") < count(cut, "]")) cut = cut.slice(0, -1).replace(trailing, "");
  return cut;
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1;
}

/** The address as the browser understands it, or undefined when it is none or carries a name and password. */
export function safeHref(address: string): string | undefined {
  const candidate = /^https?:\/\//iu.test(address) ? address : `https://${address}`;
  if (!URL.canParse(candidate)) return undefined;
  const url = new URL(candidate);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  // `https://bank.example@evil.example` shows one host and opens another.
  if (url.username !== "" || url.password !== "") return undefined;
  if (!url.hostname.includes(".") && url.hostname !== "localhost" && !url.hostname.startsWith("["))
    return undefined;
  return url.href;
}

/** True for a text of one to three emoji and nothing else: shown large. */
export function isJustEmoji(text: string): boolean {
  if (text.length > 40 || text.length === 0) return false;
  const segments = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text.trim())];
  return (
    segments.length > 0 &&
    segments.length <= 3 &&
    segments.every(({ segment }) => /^\p{RGI_Emoji}$/v.test(segment))
  );
}
