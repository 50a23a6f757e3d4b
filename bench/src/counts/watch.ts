/**
 * Preloaded into a server whose allocations are counted. Its young generation is so large (`watchFlags`) that
 * nothing is collected while it is counted: what the heap has grown by is what was allocated, to the byte. What runs
 * by the clock is left out: how often it does depends on how long the work takes.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** What it answers to every message. */
export interface HeapAnswer {
  readonly heapBytes: number;
  /** Collections since the last answer: with any, the growth of the heap means nothing. */
  readonly collections: number;
}

let clockBytes = 0;
const usedBytes = () => getHeapStatistics().used_heap_size;

const every = globalThis.setInterval;
globalThis.setInterval = ((run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
  every(() => {
    const before = usedBytes();
    run(...args);
    clockBytes += usedBytes() - before;
  }, ms)) as typeof setInterval;

const collect = (globalThis as { gc?: () => void }).gc;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length;
});
let collections = 0;
observer.observe({ entryTypes: ["gc"] });

process.on("message", (question) => {
  const heapBytes = usedBytes() - clockBytes;
  const answer: HeapAnswer = { heapBytes, collections: collections + observer.takeRecords().length };
  if (question !== "collect") return process.send?.(answer);
  collect?.();
  // What is observed of a collection comes a turn later.
  setTimeout(() => {
    observer.takeRecords();
    collections = 0;
    clockBytes = 0;
    process.send?.({ heapBytes: usedBytes(), collections: 0 } satisfies HeapAnswer);
  }, 5);
});
// Without its parent the server has no purpose; and the channel alone is no reason to live on.
process.on("disconnect", () => process.exit(0));
process.channel?.unref();
