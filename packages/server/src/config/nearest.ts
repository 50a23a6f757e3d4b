/** " Did you mean X?" for a misspelt name, or "" where nothing is near. */
export function suggestion(wrong: string, names: readonly string[]): string {
  if (wrong.length > 2 * Math.max(...names.map((name) => name.length))) return "";
  const distanceMax = Math.max(2, Math.floor(wrong.length / 3));
  let best: string | undefined;
  let bestDistance = distanceMax + 1;
  for (const name of names) {
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best === undefined ? "" : ` Did you mean ${best}?`;
}

/** Insertions, deletions and substitutions between two words (Levenshtein), one row at a time. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
