import { readFileSync } from "node:fs";

/** The share of one core that this process has used since the meter was made. */
export class CpuMeter {
  #usage = process.cpuUsage();
  #startMs = performance.now();

  share(): number {
    const { user, system } = process.cpuUsage(this.#usage);
    const wallMs = performance.now() - this.#startMs;
    return wallMs <= 0 ? 0 : (user + system) / 1000 / wallMs;
  }

  restart(): void {
    this.#usage = process.cpuUsage();
    this.#startMs = performance.now();
  }
}

/** Milliseconds of CPU that another process has used so far, all of its threads. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold spaces; the fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 10;
}
