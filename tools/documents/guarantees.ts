import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../root.ts";

const patterns = [
  "packages/*/{test,src}/**/*.ts",
  "apps/*/test/**/*.ts",
  "test/**/*.ts",
  "bench/test/**/*.ts",
];
let titles: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

/** The files whose tests name a guarantee in their title, with the number of such tests. */
export async function guaranteeTests(name: string): Promise<string> {
  titles ??= readTitles();
  const files = new Map<string, number>();
  for (const [file, of] of await titles) {
    const count = of.filter((title) => new RegExp(`\\b${name}\\b`).test(title)).length;
    if (count > 0) files.set(file, count);
  }
  if (files.size === 0) return "No test names it yet.";
  return [...files].map(([file, count]) => `- \`${file}\` (${count})`).join("\n");
}

async function readTitles(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const files: string[] = [];
  for await (const file of glob(patterns, { cwd: root, exclude: ["**/node_modules/**"] })) files.push(file);
  for (const file of files.sort()) {
    const text = await readFile(join(root, file), "utf8");
    const of = [...text.matchAll(/\b(?:test|it|describe)(?:\.\w+)?\(\s*(["'`])((?:\\.|(?!\1).)*)\1/gs)].map(
      (match) => match[2] as string,
    );
    if (of.some((title) => /\bG\d+\b/.test(title))) found.set(file, of);
  }
  return found;
}
