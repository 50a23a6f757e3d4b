import type { KeyValue, Operation, Pair, Scan, ScanRange } from "@hongyan/store/embedded";

/** An ordered key-value in memory: what survives `close` is `pairs`, which another one may be opened over. */
export class MemoryKeyValue implements KeyValue {
  readonly pairs: Map<string, Uint8Array>;
  /** Sorted keys (hexadecimal sorts as bytes do), or undefined when they must be sorted anew. */
  #sorted: string[] | undefined;
  #closed = false;

  constructor(pairs = new Map<string, Uint8Array>()) {
    this.pairs = pairs;
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#check();
    return keys.map((key) => this.pairs.get(hex(key)));
  }

  scan({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY, keysOnly = false }: ScanRange): Scan {
    this.#check();
    this.#sorted ??= [...this.pairs.keys()].sort();
    const from = lowerBound(this.#sorted, hex(gte));
    const keys = this.#sorted.slice(from, Math.max(from, lowerBound(this.#sorted, hex(lt))));
    if (reverse) keys.reverse();
    const found = keys.slice(0, limit).map((key): Pair => {
      const value = keysOnly ? new Uint8Array(0) : (this.pairs.get(key) as Uint8Array);
      return [Buffer.from(key, "hex"), value];
    });
    let next = 0;
    return {
      next: async () => {
        this.#check();
        next += 3;
        return found.slice(next - 3, next);
      },
      close: async () => {},
    };
  }

  async write(operations: readonly Operation[]): Promise<void> {
    this.#check();
    await Promise.resolve();
    this.#sorted = undefined;
    for (const { key, value } of operations) {
      if (value === undefined) this.pairs.delete(hex(key));
      else this.pairs.set(hex(key), Uint8Array.from(value));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #check(): void {
    if (this.#closed) throw new Error("The key-value is closed");
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
