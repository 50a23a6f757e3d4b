/**
 * A cache bounded in bytes. Two generations: what is used goes to the younger one; when that holds half of the
 * bytes, the older one is dropped whole. About as good as least-recently-used, without moving links or deleting keys
 * (a `Map` of 300,000 keys that is deleted from all the time pauses to rehash itself).
 */
export class GenerationCache<V> {
  readonly #bytesMax: number;
  readonly #bytesOf: (key: string, value: V) => number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(bytesMax: number, bytesOf: (key: string, value: V) => number) {
    this.#bytesMax = bytesMax;
    this.#bytesOf = bytesOf;
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  /** Without marking it as used. */
  peek(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    const before = this.#young.get(key);
    if (before !== undefined) this.#youngBytes -= this.#bytesOf(key, before);
    this.#young.set(key, value);
    this.#youngBytes += this.#bytesOf(key, value);
    if (this.#youngBytes * 2 <= this.#bytesMax) return;
    this.#old = this.#young;
    this.#oldBytes = this.#youngBytes;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
    this.#oldBytes = 0;
  }
}
