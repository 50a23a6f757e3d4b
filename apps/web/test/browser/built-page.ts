import { mkdir, readdir, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));
const sources = [
  "src",
  "public",
  "index.html",
  "vite.config.ts",
  "../../packages/client/src",
  "../../packages/protocol/src",
];
const lock = join(tmpdir(), "hongyan-web-build.lock");
/** A lock older than this was left by a process that was killed. */
const lockMsMax = 60_000;

/** Builds the page as it is shipped, unless the last build is newer than everything that goes into it. */
export async function buildPage(): Promise<void> {
  while (!(await locked())) await pause(100);
  try {
    const built = await newest(join(root, "dist/index.html"));
    const changed = Math.max(...(await Promise.all(sources.map((source) => newest(join(root, source))))));
    if (built <= changed) await build({ root, logLevel: "warn" });
  } finally {
    await rmdir(lock);
  }
}

/** Test files run side by side and share `dist`. */
async function locked(): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch {
    const age = Date.now() - (await newest(lock));
    if (age > lockMsMax) await rmdir(lock).catch(() => undefined);
    return false;
  }
}

/** When the newest file below a path was changed, 0 where there is none. */
async function newest(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const children = await readdir(path, { withFileTypes: true });
  const times = await Promise.all(children.map((child) => newest(join(path, child.name))));
  return path === lock ? found.mtimeMs : Math.max(0, ...times);
}
