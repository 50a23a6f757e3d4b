import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../root.ts";

/** What the comments beside the limits say. */
export async function limitMeanings(): Promise<Readonly<Record<string, string>>> {
  const source = await readFile(join(root, "packages/protocol/src/limits.ts"), "utf8");
  return Object.fromEntries(
    [...source.matchAll(/\/\*\* (.*?) \*\/\n\s*(\w+):/g)].map(([, meaning = "", name = ""]) => [
      name,
      meaning,
    ]),
  );
}
