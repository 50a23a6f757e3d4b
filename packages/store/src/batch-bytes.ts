import type { Batch } from "@hongyan/core";

/** What the batch holds in memory, about. */
export function bytesOf({ appends, advances, puts }: Batch): number {
  let bytes = 256 + (appends.length + advances.length + puts.length) * 128;
  for (const { body } of appends) bytes += body.length;
  for (const { value } of puts) bytes += value?.length ?? 0;
  return bytes;
}
