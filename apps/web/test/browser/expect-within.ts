import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const waitMs = 30_000;

/** Looks again until it is so; fails with what was there at the end. */
export async function expectWithin<T>(
  look: () => Promise<T>,
  holds: (value: T) => boolean,
  meaning: string,
): Promise<T> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() > deadline)
      assert.fail(`${meaning}; at the end: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await pause(50);
  }
}
