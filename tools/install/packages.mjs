/** npm packages, the pinned runtime and the native addon of the store. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { supplyLibrary } from "./libraries.mjs";
import { alone, exists, pinnedNode, root, run, say, telling } from "./tree.mjs";

const nodeMajorMin = 24;

export async function ensurePackages() {
  if ((await isInstalled()) && (await fault()) === undefined) return;
  await alone("install", async () => {
    if (!(await isInstalled())) await install();
    await prepare();
  });
}

/** Whether node_modules holds what package-lock.json says, by comparing it with the record that npm leaves there. */
async function isInstalled() {
  const lock = await readJson(join(root, "package-lock.json"));
  const installed = await readJson(join(root, "node_modules", ".package-lock.json"));
  if (lock === undefined || installed === undefined) return lock === undefined && installed !== undefined;
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!path.startsWith("node_modules/")) continue;
    const there = installed.packages[path];
    if (there === undefined) {
      if (!entry.optional && !entry.devOptional) return false;
    } else if (entry.link ? !(await exists(join(root, path))) : there.version !== entry.version) return false;
  }
  return true;
}

async function install() {
  const locked = await exists(join(root, "package-lock.json"));
  const began = Date.now();
  say(
    "installing the npm packages and the Node that they run on (450 MB on disk), once; one to three minutes",
  );
  const installing = (...args) => telling("installing", () => npm(...args, "--ignore-scripts"));
  let result = await installing(locked ? "ci" : "install");
  if (result.code !== 0 && result.output.includes("EUSAGE")) {
    say(
      "package-lock.json does not fit package.json (or lacks packages of other platforms): npm install instead",
    );
    result = await installing("install", "--no-save");
  }
  if (result.code !== 0) throw new Error(`npm could not install the packages:\n${result.output.trim()}`);
  say(`packages installed in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** What does not work yet, or undefined. One process answers for the runtime and the addon. */
async function fault() {
  const probe = await run(pinnedNode, ["-e", "console.log(process.version); require('classic-level')"]);
  const major = Number(/^v(\d+)\./.exec(probe.output)?.[1]);
  if (!(major >= nodeMajorMin)) return { what: "node", output: probe.output };
  return probe.code === 0 ? undefined : { what: "classic-level", output: probe.output };
}

/**
 * What install scripts do, of the two packages that need theirs: npm runs none, as the runtime that it would run them
 * with may lack a library of the system.
 */
async function prepare() {
  for (const attempt of ["node", "classic-level"]) {
    let found = await fault();
    if (found !== undefined && (await supplyLibrary(found.output))) found = await fault();
    if (found === undefined) return;
    if (found.what !== attempt) continue;
    const result = await telling("installing", () => npm("rebuild", attempt, "--ignore-scripts=false"));
    if (result.code === 0) say(attempt === "node" ? "Node runtime fetched" : "classic-level built");
  }
  const left = await fault();
  if (left?.what === "node") {
    throw new Error(
      `the pinned Node runtime does not run (${pinnedNode}, wanted ${nodeMajorMin} or later):\n${left.output.trim()}`,
    );
  }
  if (left !== undefined)
    throw new Error(`the native addon of classic-level does not load:\n${left.output.trim()}`);
}

/** The Node that runs npm: the pinned one lies inside of what npm replaces. */
function outerNode() {
  return process.env.npm_node_execpath ?? process.execPath;
}

function npm(...args) {
  // NODE_ENV=production would leave out the runtime itself, which is a development dependency.
  const flags = ["--include=dev", "--include=optional", "--loglevel=error", "--no-fund", "--no-audit"];
  const cli = process.env.npm_execpath;
  const env = npmEnvironment();
  if (cli?.endsWith("npm-cli.js")) return run(outerNode(), [cli, ...args, ...flags], { env });
  return run("npm", [...args, ...flags], { env, shell: process.platform === "win32" });
}

const network =
  /^npm_config_(cache|userconfig|globalconfig|registry|proxy|https?_proxy|noproxy|ca|cafile|cert|key|strict_ssl|fetch_.*|offline|prefer_offline|maxsockets|.*_authtoken)$/i;

/** The environment without what an outer npm has left in it for its own run, but for how to reach the registry. */
function npmEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || network.test(name)),
  );
}

async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}
