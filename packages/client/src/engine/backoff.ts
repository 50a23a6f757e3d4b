import type { Random } from "../ports.ts";

/**
 * Full jitter: anywhere between 0 and a bound that doubles. Spreads the return of many clients evenly, which a
 * doubled fixed delay does not. `attempt` counts from 1.
 */
export function fullJitterMs(random: Random, attempt: number, firstMs: number, maxMs: number): number {
  return random.next() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
}

/** The first wait is in [minMs, firstMaxMs]; each further one is about twice as long, up to maxMs. `attempt` counts from 1. */
export function resendDelayMs(
  random: Random,
  attempt: number,
  { minMs, firstMaxMs, maxMs }: { minMs: number; firstMaxMs: number; maxMs: number },
): number {
  const firstMs = minMs + random.next() * (firstMaxMs - minMs);
  return Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
}
