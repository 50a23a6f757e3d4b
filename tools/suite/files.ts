import { glob } from "node:fs/promises";
import { root } from "../root.ts";

/** The suite's files by what may run beside them; relative to the root, sorted. */
export interface SuiteFiles {
  /** Two at a time, whichever they are. */
  readonly parallel: readonly string[];
  /** Two at a time, but nothing else. */
  readonly browser: readonly string[];
  /** One after another. */
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
 * Whole systems: their timings mean something only where nothing else runs. Those that take long mostly wait, and
 * nothing in them is timed.
 */
const alone = /^test\/(?!.*\.slow\.)/;
const browsers = /\.browser\.test\.tsx?$/;
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
    parallel: files.filter((file) => !alone.test(file) && !browsers.test(file)),
    browser: files.filter((file) => browsers.test(file)),
    serial: files.filter((file) => alone.test(file)),
  };
}

/** What `npm run check` runs: what needs no whole system and does not take long. */
export async function fastFiles(): Promise<readonly string[]> {
  return (await suiteFiles()).parallel.filter((file) => !slow.test(file));
}
