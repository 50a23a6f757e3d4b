/** Where things are in this repository, and how other programs are run in it. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The runtime that package.json pins; npm scripts find it first in their PATH. */
export const pinnedNode = join(root, "node_modules", ".bin", "node");

/** One line for one thing done. */
export function say(line) {
  console.log(`install: ${line}`);
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
 * of node_modules (`npm ci` deletes that one); the lock of a process that has died is taken over.
 */
export async function alone(name, work) {
  const place = createHash("sha256").update(root).digest("hex").slice(0, 16);
  const lock = join(tmpdir(), `hongyan-${name}-${place}.lock`);
  const owner = join(lock, "pid");
  for (let waiting = false; ; ) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (await isAbandoned(lock, owner)) {
      await rm(lock, { recursive: true, force: true });
      continue;
    }
    if (!waiting) say(`waiting for another process that does the same (${lock})`);
    waiting = true;
    await delay(200);
  }
  try {
    await writeFile(owner, String(process.pid));
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function isAbandoned(lock, owner) {
  const pid = Number(await readFile(owner, "utf8").catch(() => ""));
  if (pid > 0) {
    try {
      process.kill(pid, 0);
      return false;
    } catch (error) {
      return error.code === "ESRCH";
    }
  }
  // Made a moment ago and its pid not written yet, or its process died in between.
  const age = Date.now() - (await stat(lock).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
  return age > 5_000;
}
