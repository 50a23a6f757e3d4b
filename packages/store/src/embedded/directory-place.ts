import { stat } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../store-error.ts";

/** LevelDB makes it once and holds it for as long as the directory is open. */
const lockName = "LOCK";
/** LevelDB begins there. */
const currentName = "CURRENT";

/**
 * Where an open directory is. Files that were deleted or moved away go on taking writes from whoever has them open, and
 * yet nobody finds them again under that name.
 */
export class DirectoryPlace {
  readonly #directory: string;
  readonly #lock: string;

  private constructor(directory: string, lock: string) {
    this.#directory = directory;
    this.#lock = lock;
  }

  static async of(directory: string): Promise<DirectoryPlace> {
    return new DirectoryPlace(directory, await identityOf(join(directory, lockName)));
  }

  /** Rejects with `StoreError` `gone` where the directory is not there, or is another one. */
  async check(): Promise<void> {
    let found: string;
    try {
      [found] = await Promise.all([
        identityOf(join(this.#directory, lockName)),
        stat(join(this.#directory, currentName)),
      ]);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ENOENT") return; // Whether the disk works, writes tell.
      throw gone(this.#directory, error);
    }
    if (found !== this.#lock) throw gone(this.#directory);
  }
}

/** The same file, whatever its name. */
async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}

function gone(directory: string, cause?: unknown): StoreError {
  return new StoreError(
    "gone",
    `The data directory ${directory} was deleted, moved or replaced while it was in use: put it back`,
    cause,
  );
}
