/** README.zh-CN.md says what README.md says: the same blocks, the same links, the same number of sections. */
import type { Objection } from "./library.ts";
import type { Document } from "./markdown.ts";

export function checkTranslation(original: Document, translation: Document): Objection[] {
  const objections: Objection[] = [];
  const object = (line: number, message: string) =>
    objections.push({ file: translation.file, line, message });
  const sections = (document: Document) =>
    document.text.split("\n").filter((line) => /^## /.test(line)).length;
  if (sections(original) !== sections(translation))
    object(1, `${sections(translation)} sections, but ${original.file} has ${sections(original)}`);
  const code = ({ blocks }: Document) =>
    blocks.filter(({ language }) => language !== "mermaid").map((block) => withoutComments(block.text));
  code(original).forEach((text, at) => {
    if (code(translation)[at] !== text)
      object(translation.blocks[at]?.line ?? 1, `block ${at + 1} differs from the one in ${original.file}`);
  });
  const targets = ({ links }: Document) =>
    new Set(
      links.map(({ target }) => target).filter((target) => !target.startsWith("#") && !/README/.test(target)),
    );
  for (const target of targets(original))
    if (!targets(translation).has(target)) object(1, `the link ${target} is missing`);
  return objections;
}

function withoutComments(text: string): string {
  return text.replace(/\s*(#|\/\/) .*$/gm, "").trim();
}
