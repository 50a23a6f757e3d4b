import type { KeyValue, Operation, Scan, ScanRange } from "@hongyan/store/embedded";

/** A key-value whose writes can be made to wait or to fail, with or without having reached the disk. */
export class FaultyKeyValue implements KeyValue {
  readonly #inner: KeyValue;
  /** How often each was called. */
  writes = 0;
  reads = 0;
  /** Keys of the last write. */
  lastWrite: readonly Operation[] = [];
  /** `torn`: the write is rejected, and yet it is found later. */
  fault: "none" | "refused" | "torn" = "none";
  #gate: Promise<void> | undefined;

  constructor(inner: KeyValue) {
    this.#inner = inner;
  }

  /** Writes wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = undefined;
      resolve();
    };
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.reads++;
    return this.#inner.getMany(keys);
  }

  scan(range: ScanRange): Scan {
    this.reads++;
    return this.#inner.scan(range);
  }

  async write(operations: readonly Operation[]): Promise<void> {
    this.writes++;
    this.lastWrite = operations;
    await this.#gate;
    if (this.fault !== "refused") await this.#inner.write(operations);
    if (this.fault !== "none") throw new Error("ENOSPC: no space left on device");
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
