import type { Journal } from "@hongyan/core";
import type { KeyValue } from "./key-value.ts";

/** How a store whose write failed gets its disk back. */
export interface Disk {
  /** Rejects while the disk clearly takes no writes; called while the old key-value still answers reads. */
  probe?(): Promise<void>;
  /** Opens the data anew. */
  reopen(): Promise<KeyValue>;
}

/** Resolves after `ms`, or rejects once the signal aborts. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>;

const delayMsFirst = 100;
const delayMsMax = 10_000;

/**
 * After a failed write nobody knows what the disk has: the tail of LevelDB's log may or may not be found, and what
 * LevelDB writes after it could land behind a torn record. So nothing is retried on the old key-value. It serves
 * reads until the probe succeeds; then it is closed and the data are opened anew, which settles what the tail holds
 * and writes it durably. Repeats with back-off until that works and `verify` (a synced write) has succeeded.
 *
 * `release` is called once, when reads must stop. Rejects only when the signal aborts.
 */
export async function recover(
  disk: Disk,
  release: () => Promise<void>,
  verify: (keyValue: KeyValue) => Promise<void>,
  delay: Delay,
  journal: Journal | undefined,
  signal: AbortSignal,
): Promise<KeyValue> {
  let delayMs = delayMsFirst;
  let released = false;
  for (;;) {
    await delay(delayMs, signal);
    delayMs = Math.min(delayMs * 2, delayMsMax);
    try {
      await disk.probe?.();
      if (!released) await release();
      released = true;
      const opened = await disk.reopen();
      try {
        await verify(opened);
        return opened;
      } catch (error) {
        await opened.close();
        throw error;
      }
    } catch (error) {
      journal?.warn("store.still_failed", { error: String(error), retryInMs: delayMs });
    }
  }
}
