/** Every dependency of the repository has its reason in docs/reference/dependencies.md, and no other has. */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Objection } from "./library.ts";
import type { Document } from "./markdown.ts";

export async function checkDependencies(root: string, document: Document): Promise<Objection[]> {
  const declared = new Set<string>();
  for await (const file of glob(
    ["package.json", "packages/*/package.json", "apps/*/package.json", "bench/package.json"],
    { cwd: root },
  )) {
    const { dependencies, devDependencies, peerDependencies } = JSON.parse(
      await readFile(join(root, file), "utf8"),
    );
    for (const name of [dependencies, devDependencies, peerDependencies].flatMap((of) =>
      Object.keys(of ?? {}),
    )) {
      if (!name.startsWith("@hongyan/")) declared.add(name);
    }
  }
  const explained = new Map<string, number>();
  document.text.split("\n").forEach((line, at) => {
    if (line.startsWith("|"))
      for (const [, name] of (line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g))
        explained.set(name as string, at + 1);
  });
  return [
    ...[...declared]
      .filter((name) => !explained.has(name))
      .map((name) => ({ file: document.file, line: 1, message: `${name} has no row` })),
    ...[...explained]
      .filter(([name]) => !declared.has(name))
      .map(([name, line]) => ({ file: document.file, line, message: `${name} is no dependency any more` })),
  ];
}
