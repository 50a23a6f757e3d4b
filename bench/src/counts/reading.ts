/** What a server process has done so far, as the kernel, the store and V8 count it. */
import { readFileSync } from "node:fs";
import type { Server } from "../process/server.ts";
import type { HeapAnswer } from "./watch.ts";

export interface Reading {
  readonly reads: number;
  readonly writes: number;
  /** Bytes handed to the kernel by `write`, to sockets and files alike. */
  readonly writtenBytes: number;
  readonly commits: number;
  readonly heapBytes: number;
}

/**
 * The differences that `work` makes. What is asked of the server itself lies outside of what is counted: the kernel
 * is read last before `work` and first after it.
 */
export async function readingOf<R>(
  server: Server,
  work: () => Promise<R>,
): Promise<{ result: R; made: Reading }> {
  const commitsBefore = await commits(server);
  const heapBefore = await server.ask<HeapAnswer>("collect");
  const before = kernelCounts(server.pid);
  const result = await work();
  const after = kernelCounts(server.pid);
  const heapAfter = await server.ask<HeapAnswer>("read");
  if (heapAfter.collections > 0)
    throw new Error("garbage was collected while allocations were counted: fewer rounds, or a larger space");
  const made: Reading = {
    reads: after.reads - before.reads,
    writes: after.writes - before.writes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
    heapBytes: heapAfter.heapBytes - heapBefore.heapBytes,
    commits: (await commits(server)) - commitsBefore,
  };
  return { result, made };
}

/** All threads of the process. `epoll_wait`, `fdatasync` and `sendmsg` are not among what the kernel counts here. */
function kernelCounts(pid: number): Pick<Reading, "reads" | "writes" | "writtenBytes"> {
  const text = readFileSync(`/proc/${pid}/io`, "utf8");
  const of = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1]);
  return { reads: of("syscr"), writes: of("syscw"), writtenBytes: of("wchar") };
}

async function commits(server: Server): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^hongyan_commits_total (\d+)$/m.exec(text)?.[1]);
}
