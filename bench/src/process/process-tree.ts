import { readdirSync, readFileSync } from "node:fs";
import { cpuMs } from "./cpu.ts";
import { type Memory, memoryOf } from "./memory.ts";

/** A process and all that descend from it, parents first. */
export function treeOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (let at = 0; at < tree.length; at++) tree.push(...(children.get(tree[at] as number) ?? []));
  return tree;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    // It has ended since.
    return undefined;
  }
}

export function treeMemory(pid: number): Memory {
  const all = treeOf(pid).flatMap((one) => unlessGone(() => memoryOf(one)));
  return {
    rss: all.reduce((sum, { rss }) => sum + rss, 0),
    pss: all.reduce((sum, { pss }) => sum + pss, 0),
  };
}

/** Share of one core that a process and its descendants use while `work` runs. */
export async function treeCpuShare<R>(
  pid: number,
  work: () => Promise<R>,
): Promise<{ result: R; cpuShare: number }> {
  const before = treeCpuMs(pid);
  const startMs = performance.now();
  const result = await work();
  return { result, cpuShare: (treeCpuMs(pid) - before) / (performance.now() - startMs) };
}

/** Milliseconds of CPU that those of the tree who are alive have used so far. */
export function treeCpuMs(pid: number): number {
  return treeOf(pid)
    .flatMap((one) => unlessGone(() => cpuMs(one)))
    .reduce((sum, ms) => sum + ms, 0);
}

function unlessGone<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch {
    return [];
  }
}
