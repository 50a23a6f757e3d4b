/** How long it takes to send everybody away at so many percent of them per second. */
export function drainTimeMs(percentPerSecond: number): number {
  return 100_000 / percentPerSecond;
}
