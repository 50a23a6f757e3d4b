import { Child } from "../process/child.ts";
import { cpuMs } from "../process/cpu.ts";
import { Server, type ServerOptions } from "../process/server.ts";
import type { Row } from "../row.ts";

/** How thoroughly to measure. */
export interface Effort {
  readonly isQuick: boolean;
  /** Sizes that take long or fill the disk, too. */
  readonly isFull?: boolean;
  /** How often ours and the probe are run, in turns. */
  readonly rounds: number;
  /** Where the CPU profiles of servers go; absent: none. */
  readonly profileFolder?: string | undefined;
  /** Leaves the bare probes out where that saves time: two servers are compared, not a server with the machine. */
  readonly skipsProbes?: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly meaning: string;
  /** Takes long: runs only where it is named. */
  readonly onRequest?: boolean;
  run(effort: Effort, say: (line: string) => void): Promise<Row[]>;
}

/** Length of every body. */
export const bodyBytes = 200;

export function loadProcess(): Child {
  return new Child(new URL("../load/main.ts", import.meta.url));
}

export function probeProcess(name: string, options?: { execArgv: readonly string[] }): Child {
  return new Child(new URL(`../probe/${name}.ts`, import.meta.url), options);
}

/** Runs `work` with a fresh server, and leaves nothing of it behind. */
export async function withServer<R>(
  options: ServerOptions,
  work: (server: Server) => Promise<R>,
): Promise<R> {
  const server = new Server(options);
  try {
    await server.start();
    const result = await work(server);
    // Ended in order, so that a profile is written.
    await server.stop();
    return result;
  } finally {
    await server.remove();
  }
}

export async function withChild<R, C extends Child>(child: C, work: (child: C) => Promise<R>): Promise<R> {
  try {
    return await work(child);
  } finally {
    await child.end();
  }
}

/** Share of one core that a process uses while `work` runs. */
export async function cpuShareOf<R>(
  pid: number,
  work: () => Promise<R>,
): Promise<{ result: R; cpuShare: number }> {
  const beforeMs = cpuMs(pid);
  const startMs = performance.now();
  const result = await work();
  return { result, cpuShare: (cpuMs(pid) - beforeMs) / (performance.now() - startMs) };
}

/** Says how busy both sides were, and whether the generator was what limited the figure. */
export function busy(generator: number, server: number): string {
  const text = `generator ${percent(generator)} and server ${percent(server)} of a core`;
  return generator > 0.9 && server < 0.85 ? `${text}: the GENERATOR was the limit` : text;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
