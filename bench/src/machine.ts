import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

/** On what a figure was measured, in one line. */
export function machine(): string {
  const all = cpus();
  const model = all[0]?.model.trim() ?? "unknown CPU";
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  return `${all.length} × ${model}, ${gigabytes} GB, Linux ${release()}, Node ${process.versions.node}`;
}

/** What else runs: the load average of the last minute. */
export function loadAverage(): number {
  return Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
}
