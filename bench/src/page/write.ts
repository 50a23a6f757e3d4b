import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../usage.ts";
import { readFigures } from "./figure.ts";
import { pageOf } from "./page.ts";

const results = fileURLToPath(new URL("../../../docs/results", import.meta.url));

/** Writes the page and its plots from rows that `--json` has written; returns the exit code. */
export function writePage(
  files: readonly string[],
  say: (line: string) => void,
  folder: string = results,
): number {
  if (files.length === 0) throw new UsageError("--page needs the FILE.json of at least one run");
  const { text, plots } = pageOf(readFigures(files));
  mkdirSync(folder, { recursive: true });
  // A plot that is not made any more must not stay and be taken for a new one.
  for (const name of readdirSync(folder)) if (name.endsWith(".svg")) rmSync(join(folder, name));
  for (const { file, svg } of plots) writeFileSync(join(folder, file), svg);
  writeFileSync(join(folder, "README.md"), text);
  say(`${relative(process.cwd(), join(folder, "README.md"))} and ${plots.length} plots`);
  return 0;
}
