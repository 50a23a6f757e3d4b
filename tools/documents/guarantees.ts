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

/** The files whose tests name a guarantee in their title. */
export async function guaranteeTests(name: string): Promise<string> {
  titles ??= readTitles();
  const pattern = new RegExp(`\\b${name}\\b`);
  const files = [...(await titles)].filter(([, of]) => of.some((title) => pattern.test(title)));
  if (files.length === 0) throw new Error(`no test names ${name}`);
  return `Tests: ${files.map(([file]) => `\`${file}\``).join(" · ")}`;
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
