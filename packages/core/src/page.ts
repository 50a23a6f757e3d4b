/** One page of what is in memory, ordered by `key`: the items after `after`, and where the next page begins. */
export function pageOf<T>(
  all: Iterable<T>,
  key: (item: T) => string,
  after: string | undefined,
  limit: number,
  limitMax: number,
): { items: T[]; next: string | undefined } {
  const size = Math.min(Math.max(limit, 1), limitMax);
  const rest: T[] = [];
  for (const item of all) if (after === undefined || key(item) > after) rest.push(item);
  rest.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const items = rest.slice(0, size);
  const last = items.at(-1);
  return { items, next: rest.length > size && last !== undefined ? key(last) : undefined };
}
