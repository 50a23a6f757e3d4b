/** A source address in 127.0.0.0/8 for the index-th connection; 4,000 share one, so that no range of ports runs out. */
export function sourceAddress(index: number): string {
  return `127.0.0.${2 + (Math.floor(index / 4000) % 250)}`;
}
