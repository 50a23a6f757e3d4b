import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { StorageChange } from "../ports.ts";
import { decodeLine, encodeLine } from "./journal-line.ts";

/** An append-only file of changes. A torn end, of a crash in the middle of a write, is cut off when it is opened. */
export class JournalFile {
  readonly #path: string;
  #file: FileHandle;
  /** Bytes that are known to be whole. */
  #bytes: number;
  /** A write or a sync has failed: what is on disk behind `#bytes` is unknown. */
  #isDoubtful = false;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens or makes the file and hands every change in it to `apply`, in order. */
  static async open(path: string, apply: (change: StorageChange) => void): Promise<JournalFile> {
    const file = await open(path, "a+");
    try {
      const content = await file.readFile();
      const whole = replay(content, apply);
      if (whole < content.length) {
        await file.truncate(whole);
        await file.sync();
      }
      await syncDirectory(path);
      return new JournalFile(path, file, whole);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True where only `replace` can make the file trustworthy again. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** Appends one change; on disk when it resolves, if `durable`. A failed append leaves nothing behind. */
  async append(change: StorageChange, durable: boolean): Promise<void> {
    const line = Buffer.from(encodeLine(change));
    try {
      await this.#file.appendFile(line);
      // A failed sync may have dropped pages that later look clean: the file is written anew before it is trusted.
      if (durable) await this.#file.datasync();
      this.#bytes += line.length;
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
  }

  /** Replaces the content by `changes`, all or nothing. */
  async replace(changes: Iterable<StorageChange>): Promise<void> {
    const path = `${this.#path}.new`;
    const file = await open(path, "w");
    let bytes = 0;
    try {
      for (const change of changes) {
        const line = Buffer.from(encodeLine(change));
        await file.write(line);
        bytes += line.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(path, this.#path);
    await syncDirectory(this.#path);
    const old = this.#file;
    this.#file = await open(this.#path, "a");
    this.#bytes = bytes;
    this.#isDoubtful = false;
    await old.close();
  }

  async close(): Promise<void> {
    await this.#file.sync().catch(() => undefined);
    await this.#file.close();
  }
}

/** Applies whole lines; returns how many bytes they take. */
function replay(content: Buffer, apply: (change: StorageChange) => void): number {
  let at = 0;
  for (;;) {
    const end = content.indexOf(0x0a, at);
    if (end < 0) return at;
    const change = decodeLine(content.toString("utf8", at, end));
    if (change === undefined) return at;
    apply(change);
    at = end + 1;
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories; there the rename itself is all that can be had.
  const directory = await open(dirname(path), "r").catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}
