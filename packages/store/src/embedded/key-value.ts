/**
 * The disk, as the embedded store needs it: an ordered map of bytes to bytes. Keys sort as unsigned bytes. LevelDB
 * is one (`classic-level.ts`); a simulator brings another, with crashes.
 */
export interface KeyValue {
  /** The value of each key, undefined where there is none; all as of the call. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** Starts a scan over what is stored at the time of this call; later writes do not show. */
  scan(range: ScanRange): Scan;
  /**
   * Writes all operations or none, in order, and resolves once they survive a crash. After a rejection it is open
   * whether they are found later. One write at a time.
   */
  write(operations: readonly Operation[]): Promise<void>;
  /**
   * Rejects where nobody would find again what is written: its place was deleted or moved away. Absent: it has none that
   * could be.
   */
  present?(): Promise<void>;
  /** Releases everything; scans and reads under way are finished or rejected first. */
  close(): Promise<void>;
}

export interface ScanRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  /** Descending. */
  readonly reverse?: boolean;
  /** Most pairs that will be asked for. */
  readonly limit?: number;
  /** Most pairs that come at first; then more at once. Default: a few. */
  readonly first?: number;
  /** Values are not wanted; they come empty. */
  readonly keysOnly?: boolean;
}

export interface Scan {
  /** The next pairs, at least one; empty at the end. */
  next(): Promise<readonly Pair[]>;
  /** Must be called once the scan is not needed any more, also after its end and after an error. */
  close(): Promise<void>;
}

export type Pair = readonly [key: Uint8Array, value: Uint8Array];

/** Sets a key, or deletes it where `value` is undefined. */
export interface Operation {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** All pairs of a range whose number the caller bounds. */
export async function scanAll(keyValue: KeyValue, range: ScanRange): Promise<Pair[]> {
  const pairs: Pair[] = [];
  const scan = keyValue.scan(range);
  try {
    for (;;) {
      const page = await scan.next();
      if (page.length === 0) return pairs;
      for (const pair of page) pairs.push(pair);
    }
  } finally {
    await scan.close();
  }
}
