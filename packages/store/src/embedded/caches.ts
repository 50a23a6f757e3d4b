import type { LogId } from "@hongyan/core";
import { GenerationCache } from "./generation-cache.ts";

/** What a map entry and its strings cost beyond their characters, measured on 64-bit Node: about 100 bytes. */
const overheadBytes = 104;

/**
 * What is committed and was used lately. Only the commit path fills it, and only after the disk has the change: so a
 * reader may trust it, and a slow read never puts an old value back.
 */
export interface Caches {
  /**
   * The encoded state of logs, one character per byte: a third of the memory of the decoded objects (direct
   * conversation: 230 bytes against 650), so that 64 MiB hold about 280,000 logs.
   */
  readonly states: GenerationCache<string>;
  /** Positions of cursors by `cursorName`. */
  readonly cursors: GenerationCache<number>;
}

export function newCaches(bytesMax: number): Caches {
  return {
    states: new GenerationCache(
      (bytesMax * 3) / 4,
      (key, value) => key.length + value.length + overheadBytes,
    ),
    cursors: new GenerationCache(bytesMax / 4, (key) => key.length + overheadBytes),
  };
}

export function clearCaches(caches: Caches): void {
  caches.states.clear();
  caches.cursors.clear();
}

/** One text for two, such that no other two make the same. */
export function cursorName(log: LogId, reader: string): string {
  return `${log.length}:${log}${reader}`;
}
