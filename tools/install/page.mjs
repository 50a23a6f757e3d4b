/** The web page: built by Vite when it is missing or its sources have changed since. */
import { createHash } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { alone, exists, pinnedNode, root, run, say, telling } from "./tree.mjs";

const app = join(root, "apps", "web");
const built = join(app, "dist");
/** Kept beside the page's files: the hash of what they were built from. */
const stampName = "sources.sha256";
const sources = ["apps/web", "packages/client/src", "packages/protocol/src", "package-lock.json"];

export async function ensurePage() {
  if (!(await exists(join(app, "index.html")))) return;
  if (await isFresh()) return;
  await alone("page", async () => {
    if (!(await isFresh())) await build();
  });
}

async function isFresh() {
  const stamp = await readFile(join(built, stampName), "utf8").catch(() => "");
  return stamp === (await sourcesHash());
}

async function build() {
  const began = Date.now();
  say("building the web page; some seconds");
  const hash = await sourcesHash();
  const fresh = join(app, "dist-new");
  const old = join(app, "dist-old");
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const env = { ...process.env, NODE_ENV: "production" };
  const args = [vite, "build", "--outDir", fresh, "--emptyOutDir", "--logLevel", "warn"];
  const result = await telling("building", () => run(pinnedNode, args, { cwd: app, env }));
  if (result.code !== 0) throw new Error(`the web page could not be built:\n${result.output.trim()}`);
  await writeFile(join(fresh, stampName), hash);
  // Moved, not written in place: a server that is running never sees half a page.
  await rm(old, { recursive: true, force: true });
  if (await exists(built)) await rename(built, old);
  await rename(fresh, built);
  await rm(old, { recursive: true, force: true });
  say(`web page built in ${Math.round((Date.now() - began) / 100) / 10} s`);
}

async function sourcesHash() {
  const hash = createHash("sha256");
  for (const source of sources) await addToHash(hash, join(root, source), source);
  return hash.digest("hex");
}

async function addToHash(hash, path, name) {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    hash
      .update(`${name}\0`)
      .update(await readFile(path).catch(() => ""))
      .update("\0");
    return;
  }
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const entry of entries) {
    if (/^(node_modules|test|dist|dist-new|dist-old|\..*)$/.test(entry.name)) continue;
    await addToHash(hash, join(path, entry.name), `${name}/${entry.name}`);
  }
}
