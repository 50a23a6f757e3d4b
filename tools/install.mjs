/**
 * Makes the tree ready to run, on whatever Node started it (20 or later): npm packages, the pinned Node runtime
 * and the native addon; with `--web` the web page, with `--system` what tests need from Debian. Says nothing when
 * there is nothing to do, else what it begins, because it takes a while, and what is done. Two of them at once wait for each other.
 */
import { ensurePackages } from "./install/packages.mjs";
import { ensurePage } from "./install/page.mjs";
import { ensureSystem } from "./install/system.mjs";

const wanted = new Set(process.argv.slice(2));
try {
  await ensurePackages();
  if (wanted.has("--system")) await ensureSystem();
  if (wanted.has("--web")) await ensurePage();
} catch (error) {
  console.error(`install: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
