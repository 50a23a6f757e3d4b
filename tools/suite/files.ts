import { glob } from "node:fs/promises";
import { root } from "../root.ts";

/** Files that may run side by side, and files that need the machine for themselves; relative to the root, sorted. */
export interface SuiteFiles {
  readonly parallel: readonly string[];
  readonly serial: readonly string[];
}

const patterns = [
  "packages/*/test/**/*.test.{ts,tsx}",
  "apps/*/test/**/*.test.{ts,tsx}",
  "tools/test/**/*.test.ts",
  "bench/test/**/*.test.ts",
  "examples/**/*.test.ts",
  "test/**/*.test.{ts,tsx}",
];

/**
 * Whole systems and browsers: their timings mean something only where nothing else runs. Those that take long mostly
 * wait, and nothing in them is timed.
 */
const alone = /^test\/(?!.*\.slow\.)|\.browser\.test\.tsx?$/;
/** Takes longer than a check may take: marked by its name, or whole runs of benchmarks and examples, or of planted bugs. */
const slow = /\.slow\.test\.tsx?$|^(bench|examples)\/|^packages\/testkit\/test\/plants/;

/** All test files, or those whose path contains one of `parts`. */
export async function suiteFiles(parts: readonly string[] = []): Promise<SuiteFiles> {
  const files: string[] = [];
  for await (const file of glob(patterns, { cwd: root, exclude: ["**/node_modules/**"] })) {
    if (parts.length === 0 || parts.some((part) => file.includes(part))) files.push(file);
  }
  files.sort();
  return {
    parallel: files.filter((file) => !alone.test(file)),
    serial: files.filter((file) => alone.test(file)),
  };
}

/** What `npm run check` runs: what needs no whole system and does not take long. */
export async function fastFiles(): Promise<readonly string[]> {
  return (await suiteFiles()).parallel.filter((file) => !slow.test(file));
}
