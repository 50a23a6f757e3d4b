import type { CopySource, EntryKey } from "../../src/copy/items.ts";
import { rangePages } from "../../src/copy/parts.ts";
import { digestOf } from "../../src/digest.ts";

/** All that is in a store under a prefix, as lines in order: two stores that hold the same have the same. */
export async function contentsOf(source: CopySource, prefix: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const marks of source.logs(prefix)) {
    for (const { log, head, trimmed } of marks) lines.push(`log ${log} ${head} ${trimmed}`);
    const ranges = marks.map(({ log, head }) => ({ log, after: 0, upTo: head }));
    for await (const pages of rangePages(source, ranges))
      for (const { log, entries } of pages)
        for (const { seq, time, key, body } of entries)
          lines.push(
            `entry ${log} ${seq} ${time} ${keyText(key)} ${body && Buffer.from(body).toString("hex")}`,
          );
  }
  for await (const cursors of source.cursors(prefix))
    for (const { log, reader, position } of cursors) lines.push(`cursor ${log} ${reader} ${position}`);
  for await (const records of source.records(prefix))
    for (const { key, version, value } of records)
      lines.push(`record ${key} ${version} ${Buffer.from(value).toString("hex")}`);
  return lines.sort();
}

function keyText(key: EntryKey | undefined): string {
  if (key === undefined) return "-";
  const { producer, number } = key;
  return `${Buffer.from(typeof producer === "string" ? digestOf(producer) : producer).toString("hex")}:${number}`;
}
