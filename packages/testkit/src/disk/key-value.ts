import type { Disk } from "./disk.ts";
import type { SortedMap } from "./sorted-map.ts";

/**
 * The simulated disk behind the key-value port of the embedded store. The types are the port's, spelled out: the
 * port is internal to the store, and a port is a shape.
 */
type Pair = readonly [key: Uint8Array, value: Uint8Array];
interface Operation {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}
interface ScanRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly keysOnly?: boolean;
}

const scanPage = 100;
const nothing = new Uint8Array(0);

/** One opening of the disk: belongs to one life of the server, and falls silent with it. */
export class SimKeyValue {
  readonly #disk: Disk;
  readonly #life: number;

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#life = disk.life;
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const values = keys.map((key) => copyOf(this.#disk.data.get(textOf(key))));
    return this.#disk.read(this.#life, () => values);
  }

  scan(range: ScanRange) {
    const pairs = pairsOf(this.#disk.data, range);
    return {
      next: (): Promise<readonly Pair[]> => this.#disk.read(this.#life, () => pairs.splice(0, scanPage)),
      close: async (): Promise<void> => {},
    };
  }

  write(operations: readonly Operation[]): Promise<void> {
    // Copied at once, as a real engine does: the caller may use its memory again.
    const writes = operations.map(({ key, value }) => ({ key: textOf(key), value: copyOf(value) }));
    return this.#disk.write(this.#life, writes, true);
  }

  async close(): Promise<void> {}
}

/** A copy of what is on the disk, read without any delay: for checkers. What is written to it is nobody's. */
export class SnapshotKeyValue {
  readonly #data: SortedMap;

  constructor(disk: Disk) {
    this.#data = disk.data.copy();
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => copyOf(this.#data.get(textOf(key))));
  }

  scan(range: ScanRange) {
    const pairs = pairsOf(this.#data, range);
    return {
      next: async (): Promise<readonly Pair[]> => pairs.splice(0),
      close: async (): Promise<void> => {},
    };
  }

  async write(operations: readonly Operation[]): Promise<void> {
    for (const { key, value } of operations) this.#data.set(textOf(key), copyOf(value));
  }

  async close(): Promise<void> {}
}

function pairsOf(data: SortedMap, range: ScanRange): Pair[] {
  const keys = data.range(
    textOf(range.gte),
    textOf(range.lt),
    range.reverse === true,
    range.limit ?? Number.MAX_SAFE_INTEGER,
  );
  return keys.map((key) => [
    Buffer.from(key, "latin1"),
    range.keysOnly ? nothing : (copyOf(data.get(key)) ?? nothing),
  ]);
}

/** Bytes as text of the same order. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

function copyOf(value: Uint8Array | undefined): Uint8Array | undefined {
  return value?.slice();
}
