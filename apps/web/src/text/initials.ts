/** What stands in an avatar: up to two letters of the name, or its last character pair for Chinese names. */
export function initials(name: string): string {
  const parts = name
    .trim()
    .split(/[\s._@+=-]+/u)
    .filter((word) => word.length > 0);
  const spoken = parts.filter((word) => /[\p{L}\p{N}]/u.test(word));
  // A name of signs alone is shown as it is; brackets and emoji around letters are left out.
  const words = spoken.length > 0 ? spoken : parts;
  const first = words[0];
  if (first === undefined) return "?";
  // Chinese, Japanese and Korean names: the given name stands last and tells people apart best.
  if (/^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+$/u.test(first)) {
    const characters = graphemes(first);
    return characters.slice(-Math.min(2, characters.length)).join("");
  }
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  const letters = graphemes(first)[0] ?? "?";
  return (letters + (last === undefined ? "" : (graphemes(last)[0] ?? ""))).toLocaleUpperCase();
}

function graphemes(text: string): string[] {
  // Zalgo: one grapheme may carry hundreds of marks; an avatar shows the bare letter with at most two.
  return [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text.slice(0, 64))].map(
    ({ segment }) =>
      /\p{M}/u.test(segment) && !/\p{Extended_Pictographic}/u.test(segment) ? segment.slice(0, 3) : segment,
  );
}

/** The number of avatar colours in `tokens.css`. */
export const hueCount = 10;

/** A stable colour of an id, 0 to `hueCount` - 1: the same person has the same colour on every device. FNV-1a. */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % hueCount;
}
