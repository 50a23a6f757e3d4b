import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, parseDocument } from "./markdown.ts";

/** Something wrong with a document. */
export interface Objection {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const patterns = [
  "*.md",
  "docs/**/*.md",
  "deploy/*.md",
  "examples/**/*.md",
  "packages/*/*.md",
  "apps/*/*.md",
  "bench/*.md",
];

/** All documents of the tree, sorted by path. */
export async function readDocuments(root: string): Promise<Document[]> {
  const files: string[] = [];
  for await (const file of glob(patterns, { cwd: root, exclude: ["**/node_modules/**", "**/dist*/**"] }))
    files.push(file);
  files.sort();
  return Promise.all(
    files.map(async (file) => parseDocument(file, await readFile(join(root, file), "utf8"))),
  );
}
