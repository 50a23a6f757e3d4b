import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs } from "../process/cpu.ts";

const idleMs = 500;

/**
 * Microseconds of a server's CPU for one operation. `work` is expected to take a second or so, because the kernel
 * counts CPU in steps of 10 ms, and resolves with how many operations it was. What the server does without being
 * asked is measured before, and taken off.
 */
export async function cpuMicrosEach(pid: number, work: () => Promise<number>): Promise<number> {
  const idleBeforeMs = cpuMs(pid);
  await sleep(idleMs);
  const idleShare = (cpuMs(pid) - idleBeforeMs) / idleMs;
  const beforeMs = cpuMs(pid);
  const startMs = performance.now();
  const operations = await work();
  const usedMs = cpuMs(pid) - beforeMs - idleShare * (performance.now() - startMs);
  // One step at least: what costs nothing has no place on a logarithmic axis.
  return (Math.max(usedMs, 10) * 1000) / operations;
}
