/**
 * Tables that say what the code says are made from the code. They stand between `<!-- made: NAME -->` and
 * `<!-- end -->`; `node tools/documents.ts --write` makes them, `npm run check` compares.
 */
import type { Objection } from "./library.ts";
import type { Document } from "./markdown.ts";

export type Maker = (argument: string) => string | Promise<string>;

const end = "<!-- end -->";
const section = /<!-- made: ([\w-]+)(?: ([^>]*?))? -->\n([\s\S]*?)<!-- end -->/g;

/** The text of a document with every made section made anew. */
export async function remake(
  document: Document,
  makers: Readonly<Record<string, Maker>>,
): Promise<{ text: string; objections: Objection[] }> {
  const objections: Objection[] = [];
  const out: string[] = [];
  let at = 0;
  for (const match of document.text.matchAll(section)) {
    const [whole, name = "", argument = "", before = ""] = match;
    const line = document.text.slice(0, match.index).split("\n").length;
    const maker = makers[name];
    if (maker === undefined)
      objections.push({ file: document.file, line, message: `nothing makes a section ${name}` });
    const made = maker === undefined ? before : `\n${(await maker(argument)).trim()}\n\n`;
    if (made !== before) {
      const message = `the section ${name} is not what the code says: node tools/documents.ts --write`;
      objections.push({ file: document.file, line, message });
    }
    const opening = whole.slice(0, whole.length - before.length - end.length);
    out.push(document.text.slice(at, match.index), opening, made, end);
    at = match.index + whole.length;
  }
  return { text: out.join("") + document.text.slice(at), objections };
}

/** A Markdown table; bars in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
