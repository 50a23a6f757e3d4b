import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes `directory` and what is missing above it; the topmost one that was made, undefined if it was there. Node's
 * own `recursive` never comes back where a parent exists and yet takes no entries, as in `/proc`: it makes the
 * parent again, for ever. Here every level is tried twice at most.
 */
export async function makeDirectory(directory: string, mode?: number): Promise<string | undefined> {
  try {
    return await makeOne(directory, mode);
  } catch (error) {
    const parent = dirname(directory);
    if (codeOf(error) !== "ENOENT" || parent === directory) throw error;
    const made = await makeDirectory(parent, mode);
    return (await makeOne(directory, mode)) === undefined ? made : (made ?? directory);
  }
}

async function makeOne(directory: string, mode: number | undefined): Promise<string | undefined> {
  try {
    await mkdir(directory, { mode });
    return directory;
  } catch (error) {
    // Some file systems refuse before they look whether it is there.
    const isThere = await stat(directory).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
