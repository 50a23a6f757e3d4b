/**
 * `node tools/documents.ts [--write] [PART OF A PATH …]`: fails where the documents are not true. Links lead
 * somewhere, named files exist, tables say what the code says, and every code block does what its reader would do
 * with it: shell blocks and programs run against a server of their own.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { printMarkdown } from "../packages/server/src/config/print.ts";
import { checkBlocks, runs } from "./documents/blocks.ts";
import { checkDependencies } from "./documents/dependencies.ts";
import { type Objection, readDocuments } from "./documents/library.ts";
import { checkLinks } from "./documents/links.ts";
import { makers } from "./documents/makers.ts";
import type { Document } from "./documents/markdown.ts";
import { checkMessages } from "./documents/messages.ts";
import { runDocument } from "./documents/program.ts";
import { remake } from "./documents/tables.ts";
import { checkTranslation } from "./documents/translation.ts";
import { checkTypes } from "./documents/types.ts";
import { root } from "./root.ts";

const args = process.argv.slice(2);
const parts = args.filter((arg) => !arg.startsWith("--"));
const isWriting = args.includes("--write");
const all = await readDocuments(root);
const documents = all.filter(({ file }) => parts.length === 0 || parts.some((part) => file.includes(part)));

const objections: Objection[] = await checkTables();
if (!isWriting) {
  objections.push(...documents.flatMap(checkBlocks), ...(await checkTypes(root, documents)));
  objections.push(
    ...(await checkLinks(root, all)).filter(({ file }) =>
      documents.some((document) => document.file === file),
    ),
  );
  for (const document of documents) {
    if (document.file === "docs/reference/dependencies.md")
      objections.push(...(await checkDependencies(root, document)));
    if (["docs/operating/runbooks.md", "docs/operating/troubleshooting.md"].includes(document.file))
      objections.push(...(await checkMessages(root, document)));
    if (document.file === "README.zh-CN.md")
      objections.push(...checkTranslation(find("README.md"), document));
  }
  objections.push(...(await runAll(documents.filter(runs))));
}
for (const { file, line, message } of objections) console.error(`${file}:${line}: ${message}`);
if (objections.length === 0)
  console.log(`${documents.length} documents, ${documents.filter(runs).length} of them run`);
process.exitCode = objections.length === 0 || isWriting ? 0 : 1;

async function checkTables(): Promise<Objection[]> {
  const found: Objection[] = [];
  for (const document of documents) {
    const { text, objections: different } = await remake(document, makers);
    found.push(...different);
    if (isWriting && text !== document.text) await writeFile(join(root, document.file), text);
  }
  // The reference of the configuration is made as a whole, by the same code as `hongyan config --markdown`.
  const file = "docs/reference/configuration.md";
  const made = printMarkdown();
  if (made !== (await readFile(join(root, file), "utf8").catch(() => ""))) {
    found.push({ file, line: 1, message: "not what the schema says: node tools/documents.ts --write" });
    if (isWriting) await writeFile(join(root, file), made);
  }
  return found;
}

/** Two documents at a time. */
async function runAll(running: readonly Document[]): Promise<Objection[]> {
  const waiting = [...running];
  const found: Objection[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      found.push(...(await runDocument(root, next)));
  };
  await Promise.all([worker(), worker()]);
  return found;
}

function find(file: string): Document {
  const document = all.find((candidate) => candidate.file === file);
  if (document === undefined) throw new Error(`${file} is missing`);
  return document;
}
