import type { LogId } from "@hongyan/core";
import { LruCache } from "./lru-cache.ts";

/** What a map entry and its strings cost beyond their characters, about, on 64-bit Node. */
const overheadBytes = 104;

/**
 * What is committed and was used lately, of logs and cursors, within one bound. Only the commit path fills it, and
 * only after the disk has the change: so a reader may trust it, and a slow read never puts an old value back.
 *
 * The state of a log is kept encoded, as text of one character per byte: a third of the memory of the decoded
 * objects (direct conversation: 210 bytes against 650), so that 64 MiB hold about 300,000 logs. That matters beyond
 * the time of a read: LevelDB counts reads that look into more than one table, and merges a table of 16 MiB with its
 * neighbours after 1,024 of them (first touch of 250,000 logs: twice the bytes written).
 */
export class Caches {
  readonly #cache: LruCache<string | number>;

  constructor(bytesMax: number) {
    const bytesOf = (key: string, value: string | number): number =>
      key.length + (typeof value === "string" ? value.length : 0) + overheadBytes;
    this.#cache = new LruCache(bytesMax, bytesOf);
  }

  /** The encoded state of the log; marks it as used. */
  state(log: LogId): Buffer | undefined {
    const state = this.#cache.get(stateName(log));
    return typeof state === "string" ? Buffer.from(state, "latin1") : undefined;
  }

  /** The head of the log, without marking its state as used. */
  peekHead(log: LogId): number | undefined {
    const state = this.#cache.peek(stateName(log));
    return typeof state === "string" ? firstVarint(state) : undefined;
  }

  setState(log: LogId, state: Buffer): void {
    this.#cache.set(stateName(log), state.toString("latin1"));
  }

  /** The position of the cursor with that `cursorName`. */
  cursor(name: string): number | undefined {
    return this.#cache.get(name) as number | undefined;
  }

  peekCursor(name: string): number | undefined {
    return this.#cache.peek(name) as number | undefined;
  }

  setCursor(name: string, position: number): void {
    this.#cache.set(name, position);
  }

  clear(): void {
    this.#cache.clear();
  }
}

/** The head is the first number of a state; a buffer for it would cost more than all the rest. */
function firstVarint(state: string): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; ; i++) {
    const byte = state.charCodeAt(i);
    value += (byte & 127) * scale;
    if (byte < 128) return value;
    scale *= 128;
  }
}

function stateName(log: LogId): string {
  return `S${log}`;
}

/** One text for the two, such that no other two, and no log, make the same. */
export function cursorName(log: LogId, reader: string): string {
  return `C${log.length}:${log}${reader}`;
}
