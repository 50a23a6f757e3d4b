import type { LogId } from "@hongyan/core";
import { encodeBlock } from "./block.ts";
import { ByteWriter } from "./bytes.ts";
import { encodeTrimmed, trimmedOf } from "./holes.ts";
import type { Operation } from "./key-value.ts";
import { entriesKey, entriesPrefix, stateKey, trimmedKey } from "./keys.ts";
import { blockWith } from "./log-reader.ts";
import { headOf } from "./log-state.ts";
import type { Volume } from "./volume.ts";

/** Blocks deleted by one write: about 3 MiB of keys. */
const blocksPerWriteMax = 65_536;

/**
 * Forgets entries with `seq <= upTo`: deletes the blocks below, and rewrites the one that `upTo` cuts. From the
 * bottom up, so that what is left is a log at any moment; in one write up to 65,536 blocks. Heads and idempotency
 * keys are stored apart and stay. How far the log was trimmed is in the first write: what is missing above it is lost.
 */
export async function trimLog(volume: Volume, log: LogId, upTo: number): Promise<void> {
  const keyValue = volume.writing;
  const last = Math.min(upTo, Number.MAX_SAFE_INTEGER - 1);
  if (last < 1) return;
  const prefix = entriesPrefix(log);
  const [state] = await keyValue.getMany([stateKey(log)]);
  const trimmed = Math.min(last, state === undefined ? 0 : headOf(state));
  let operations: Operation[] = [];
  if (trimmed > (await trimmedOf(keyValue, log)))
    operations.push({ key: trimmedKey(log), value: encodeTrimmed(trimmed) });
  const scan = keyValue.scan({
    gte: entriesKey(prefix, 0),
    lt: entriesKey(prefix, last + 1),
    keysOnly: true,
  });
  try {
    for (;;) {
      const pairs = await scan.next();
      if (pairs.length === 0) break;
      for (const [key] of pairs) operations.push({ key, value: undefined });
      if (operations.length < blocksPerWriteMax) continue;
      await volume.write(operations);
      operations = [];
    }
  } finally {
    await scan.close();
  }
  const cut = await blockWith(keyValue, log, last + 1);
  const kept = cut?.filter(({ seq }) => seq > last) ?? [];
  if (cut !== undefined && kept.length < cut.length) {
    const end = kept.at(-1)?.seq ?? 0;
    operations.push({
      key: entriesKey(prefix, end),
      value: encodeBlock(new ByteWriter(), kept, 0, kept.length),
    });
  }
  if (operations.length > 0) await volume.write(operations);
}
