/** Keys in byte order (as latin-1 text) with their values: what a key-value engine holds. Small worlds only. */
export class SortedMap {
  readonly #values: Map<string, Uint8Array>;
  readonly #keys: string[];

  constructor(values: Map<string, Uint8Array> = new Map(), keys: string[] = []) {
    this.#values = values;
    this.#keys = keys;
  }

  copy(): SortedMap {
    return new SortedMap(new Map(this.#values), [...this.#keys]);
  }

  get size(): number {
    return this.#keys.length;
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** `value` undefined deletes. */
  set(key: string, value: Uint8Array | undefined): void {
    const isHere = this.#values.has(key);
    if (value === undefined) {
      if (!isHere) return;
      this.#values.delete(key);
      this.#keys.splice(this.#firstAtLeast(key), 1);
      return;
    }
    this.#values.set(key, value);
    if (!isHere) this.#keys.splice(this.#firstAtLeast(key), 0, key);
  }

  /** Keys in [from, below), ascending, or descending where `reverse`; at most `count`. */
  range(from: string, below: string | undefined, reverse: boolean, count: number): string[] {
    const start = this.#firstAtLeast(from);
    const end = below === undefined ? this.#keys.length : this.#firstAtLeast(below);
    if (start >= end) return [];
    if (reverse) return this.#keys.slice(Math.max(start, end - count), end).reverse();
    return this.#keys.slice(start, Math.min(end, start + Math.min(count, end - start)));
  }

  #firstAtLeast(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
