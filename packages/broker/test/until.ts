import { setTimeout as after } from "node:timers/promises";

/** Resolves when `condition` holds; rejects after ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await after(5);
  }
}
