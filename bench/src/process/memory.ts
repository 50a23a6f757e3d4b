import { readFileSync } from "node:fs";

export interface Memory {
  /** Bytes resident, whether shared with other processes or not. */
  readonly rss: number;
  /** Bytes resident, shared pages counted in proportion: what the process costs the machine. */
  readonly pss: number;
}

export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return { rss: kilobytes(rollup, "Rss"), pss: kilobytes(rollup, "Pss") };
}

function kilobytes(rollup: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup);
  if (match === null) throw new Error(`smaps_rollup without ${name}`);
  return Number(match[1]) * 1024;
}
