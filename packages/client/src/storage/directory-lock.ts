import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";

/** Directories that this process has locked. */
const held = new Set<string>();

/** Keeps a second process from using a directory. A lock left by a process that has died is taken over. */
export class DirectoryLock {
  readonly #directory: string;
  readonly #path: string;

  private constructor(directory: string, path: string) {
    this.#directory = directory;
    this.#path = path;
  }

  /** Rejects with a clear message where the directory is in use. */
  static async take(directory: string): Promise<DirectoryLock> {
    const at = resolve(directory);
    const inUse = (by: string): Error =>
      new Error(`${at} is in use by ${by}: a client's storage belongs to one process`);
    if (held.has(at)) throw inUse("this process");
    held.add(at);
    const path = join(at, "lock");
    const own = `${process.pid} ${hostname()} ${randomUUID()}`;
    try {
      for (;;) {
        const isOurs = await writeFile(path, own, { flag: "wx" }).then(
          () => true,
          (error: NodeJS.ErrnoException) => {
            if (error.code === "EEXIST") return false;
            throw error;
          },
        );
        if (isOurs) return new DirectoryLock(at, path);
        const other = await readFile(path, "utf8").catch(() => "");
        if (other !== "" && isAlive(other)) throw inUse(`process ${other.split(" ")[0]}`);
        await removeStale(path, other);
      }
    } catch (error) {
      held.delete(at);
      throw error;
    }
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true });
    held.delete(this.#directory);
  }
}

/** Moves the lock away and makes sure that it was the stale one: another process may have been faster. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readFile(aside, "utf8").catch(() => stale);
  if (moved !== stale) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

function isAlive(lock: string): boolean {
  const [pid = "", host] = lock.split(" ");
  // Of another machine (a shared folder) nothing can be known: it counts as alive.
  if (host !== hostname()) return true;
  // Our own number, and not ours: a process before a restart of the container had it.
  if (Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
