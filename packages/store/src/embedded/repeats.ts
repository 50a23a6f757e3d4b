import type { Entry } from "@hongyan/core";
import type { Repeat } from "./group-plan.ts";
import type { KeyValue } from "./key-value.ts";
import { compareWith } from "./log-plan.ts";
import { blockWith } from "./log-reader.ts";

/** Logs that are looked at side by side: as many as the disk has threads. */
const lanes = 4;

/**
 * Settles appends whose key is known by comparing bodies (G2). Resends come in runs of one log: each block is read
 * once for all that point into it. Where the entry was trimmed, it stays a duplicate.
 */
export async function settleRepeats(keyValue: KeyValue, repeats: readonly Repeat[]): Promise<void> {
  const logs = [...Map.groupBy(repeats, ({ append }) => append.log).values()];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < logs.length) await settleLog(keyValue, logs[next++] as Repeat[]);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, logs.length) }, lane));
}

async function settleLog(keyValue: KeyValue, repeats: Repeat[]): Promise<void> {
  repeats.sort((a, b) => a.seq - b.seq);
  let block: Entry[] = [];
  let trimmedSeq = 0;
  for (const { append, seq, outcomes, index } of repeats) {
    if (seq === trimmedSeq) continue;
    let entry = entryOf(block, seq);
    if (entry === undefined) {
      block = (await blockWith(keyValue, append.log, seq)) ?? [];
      entry = entryOf(block, seq);
    }
    if (entry === undefined) trimmedSeq = seq;
    else outcomes[index] = compareWith(entry, append.body);
  }
}

function entryOf(block: readonly Entry[], seq: number): Entry | undefined {
  const first = block[0];
  return first === undefined ? undefined : block[seq - first.seq];
}
