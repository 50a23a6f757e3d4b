import { glob } from "node:fs/promises";
import { root } from "../root.ts";

/** Files that may run side by side, and files that need the machine for themselves; relative to the root, sorted. */
export interface SuiteFiles {
  readonly parallel: readonly string[];
  readonly serial: readonly string[];
}

const parallelPatterns = [
  "packages/*/test/**/*.test.{ts,tsx}",
  "apps/*/test/**/*.test.{ts,tsx}",
  "tools/test/**/*.test.ts",
];
const serialPatterns = ["bench/test/**/*.test.ts", "examples/**/*.test.ts", "test/**/*.test.{ts,tsx}"];

/** All test files, or those whose path contains one of `parts`. */
export async function suiteFiles(parts: readonly string[] = []): Promise<SuiteFiles> {
  return { parallel: await matching(parallelPatterns, parts), serial: await matching(serialPatterns, parts) };
}

/** What `npm run check` runs: everything that needs no whole system and is not marked as slow by its name. */
export async function fastFiles(): Promise<readonly string[]> {
  return (await suiteFiles()).parallel.filter((file) => !/\.slow\.test\.tsx?$/.test(file));
}

async function matching(patterns: readonly string[], parts: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob([...patterns], { cwd: root, exclude: ["**/node_modules/**"] })) {
    if (parts.length === 0 || parts.some((part) => file.includes(part))) files.push(file);
  }
  return files.sort();
}
