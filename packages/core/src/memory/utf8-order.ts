/**
 * Compares two strings as their UTF-8 bytes compare. JavaScript's `<` compares UTF-16 units, which puts U+10000
 * and above (surrogates, 0xD800-0xDFFF) before U+E000-U+FFFF; in UTF-8 they come after.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
