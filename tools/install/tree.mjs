/** Where things are in this repository, and how other programs are run in it. */
import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The runtime that package.json pins; npm scripts find it first in their PATH. */
export const pinnedNode = join(root, "node_modules", ".bin", "node");

/** One line for one thing begun or done. */
export function say(line) {
  console.log(`install: ${line}`);
}

/**
 * Tells whoever sits at a terminal from time to time that `work` goes on: `still installing, 20 s`. A log hears only what
 * is begun and done.
 */
export async function telling(
  what,
  work,
  { everyMs = 10_000, isWatched = process.stdout.isTTY === true && !process.env.CI } = {},
) {
  const began = Date.now();
  const tell = () => say(`still ${what}, ${Math.round((Date.now() - began) / 1000)} s`);
  const timer = isWatched ? setInterval(tell, everyMs) : undefined;
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

export async function exists(path) {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Runs a program to its end. Resolves to `{ code, output }`; a program that cannot be started has code 127.
 * Output is collected, so that success stays quiet and a failure can show everything.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], ...options });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => resolve({ code: 127, output: String(error.message) }));
    child.on("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/**
 * Runs `work` while no other process of this tree runs anything under the same name. The lock is a folder outside
 * of node_modules (`npm ci` deletes that one). It is moved into its place with its owner in it, which succeeds for
 * one process only; the lock of a process that has died is moved away.
 */
export async function alone(name, work) {
  const place = createHash("sha256").update(root).digest("hex").slice(0, 16);
  const lock = join(tmpdir(), `hongyan-${name}-${place}.lock`);
  for (let waiting = false; !(await acquire(lock)); ) {
    if (await clearAway(lock)) continue;
    if (!waiting) say(`waiting for another process that does the same (${lock})`);
    waiting = true;
    await delay(200);
  }
  try {
    return await work();
  } finally {
    // Gone at once: while its files were being deleted, another process could move in and lose its own.
    const done = `${lock}-${randomUUID()}`;
    await rename(lock, done);
    await rm(done, { recursive: true, force: true });
  }
}

/** True if the lock is ours. A folder cannot be moved onto one that has something in it. */
async function acquire(lock) {
  const draft = await mkdtemp(`${lock}-`);
  await writeFile(join(draft, "owner"), `${process.pid} ${randomUUID()}`);
  try {
    await rename(draft, lock);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes(error.code)) return false;
    throw error;
  }
}

/**
 * Moves the lock away if its owner has died; true if it is gone. Where it goes is named by the lock itself, and
 * stays: who comes late and takes the next owner's lock for the dead one's finds that place taken.
 */
async function clearAway(lock) {
  const [pid, id] = (await readFile(join(lock, "owner"), "utf8").catch(() => "")).split(" ");
  if (id === undefined) return !(await exists(lock));
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    if (error.code !== "ESRCH") return false;
  }
  return rename(lock, `${lock}-dead-${id}`).then(
    () => true,
    () => false,
  );
}
