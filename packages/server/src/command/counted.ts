/** `1 entry`, `2,000 entries`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** What was copied, for people. */
export function tallyText({
  entries,
  cursors,
  records,
}: Readonly<Record<"entries" | "cursors" | "records", number>>): string {
  return `${counted(entries, "entry", "entries")}, ${counted(cursors, "position")}, ${counted(records, "record")}`;
}
