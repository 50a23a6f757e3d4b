/** A map of 300,000 keys pauses for 30 ms when it rehashes itself; 64 small ones for half a millisecond each. */
const shardCount = 64;
/**
 * Characters that choose the shard, spread over the whole key. Of its end alone, all cursors of one device would have
 * the same shard: with 10,000 conversations they did not fit into it, and most were read from the disk each time.
 */
const hashedCharacters = 64;

interface Shard<V> {
  /** Least recently used first. */
  readonly values: Map<string, V>;
  bytes: number;
}

/** A cache bounded in bytes that forgets what was least recently used. */
export class LruCache<V> {
  readonly #shardBytesMax: number;
  readonly #bytesOf: (key: string, value: V) => number;
  readonly #shards: Shard<V>[] = Array.from({ length: shardCount }, () => ({ values: new Map(), bytes: 0 }));

  constructor(bytesMax: number, bytesOf: (key: string, value: V) => number) {
    this.#shardBytesMax = bytesMax / shardCount;
    this.#bytesOf = bytesOf;
  }

  get bytes(): number {
    return this.#shards.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Without marking it as used. */
  peek(key: string): V | undefined {
    return this.#shard(key).values.get(key);
  }

  get(key: string): V | undefined {
    const { values } = this.#shard(key);
    const value = values.get(key);
    if (value === undefined) return undefined;
    values.delete(key);
    values.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    const shard = this.#shard(key);
    const { values } = shard;
    const before = values.get(key);
    if (before !== undefined) {
      shard.bytes -= this.#bytesOf(key, before);
      values.delete(key);
    }
    values.set(key, value);
    shard.bytes += this.#bytesOf(key, value);
    while (shard.bytes > this.#shardBytesMax) {
      const [oldest] = values;
      if (oldest === undefined) return;
      values.delete(oldest[0]);
      shard.bytes -= this.#bytesOf(oldest[0], oldest[1]);
    }
  }

  clear(): void {
    for (const shard of this.#shards) {
      shard.values.clear();
      shard.bytes = 0;
    }
  }

  #shard(key: string): Shard<V> {
    let hash = 0;
    const step = Math.ceil(key.length / hashedCharacters);
    for (let i = key.length - 1; i >= 0; i -= step) {
      hash = Math.imul(hash, 31) ^ key.charCodeAt(i);
    }
    return this.#shards[(hash ^ (hash >>> 12)) & (shardCount - 1)] as Shard<V>;
  }
}
