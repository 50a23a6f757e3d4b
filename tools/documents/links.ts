/** Links lead somewhere, and files that are named exist. */
import { stat } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { Objection } from "./library.ts";
import type { Document } from "./markdown.ts";

export async function checkLinks(root: string, documents: readonly Document[]): Promise<Objection[]> {
  const byFile = new Map(documents.map((document) => [document.file, document]));
  const found = await Promise.all(documents.map((document) => checkDocument(root, document, byFile)));
  return found.flat();
}

async function checkDocument(
  root: string,
  document: Document,
  byFile: ReadonlyMap<string, Document>,
): Promise<Objection[]> {
  const objections: Objection[] = [];
  const object = (line: number, message: string) => objections.push({ file: document.file, line, message });
  for (const { target, line } of document.links) {
    if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
    const [path = "", anchor] = target.split("#");
    const file =
      path === "" ? document.file : normalize(join(dirname(document.file), decodeURIComponent(path)));
    if (!(await exists(join(root, file))))
      object(line, `the link ${target} leads to ${file}, which does not exist`);
    else if (anchor !== undefined && byFile.get(file)?.anchors.has(anchor) === false)
      object(line, `${file} has no heading #${anchor}`);
  }
  for (const { target, line } of document.codes) {
    const path = namedFile(target);
    if (path !== undefined && !(await exists(join(root, path)))) object(line, `${path} does not exist`);
  }
  return objections;
}

/** The file that is meant where text in backticks looks like a path of this repository. */
function namedFile(text: string): string | undefined {
  const path =
    /^(?:node |python3 )?((?:packages|apps|bench|docs|tools|test|examples|deploy|\.ci)\/[\w@./-]+)/.exec(
      text,
    )?.[1];
  return path === undefined || /\*|…|\.\.\./.test(text) ? undefined : path.replace(/\.$/, "");
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
