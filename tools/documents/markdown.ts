/** As much of Markdown as the documents of this repository use. */

export interface Block {
  readonly language: string;
  /** What follows the language on the fence: `server`, `output`, `types`, `no-run: reason`. */
  readonly info: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

export interface Document {
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** What `#…` may name. */
  readonly anchors: ReadonlySet<string>;
  /** Text between backticks, outside of blocks. */
  readonly codes: readonly Link[];
}

const fence = /^(\s*)(`{3,})\s*([\w+-]*)\s*(.*)$/;

export function parseDocument(file: string, text: string): Document {
  const blocks: Block[] = [];
  const links: Link[] = [];
  const codes: Link[] = [];
  const anchors = new Set<string>();
  let open:
    | { indent: number; ticks: string; language: string; info: string; line: number; lines: string[] }
    | undefined;
  text.split("\n").forEach((content, at) => {
    const line = at + 1;
    const match = fence.exec(content);
    if (open !== undefined) {
      if (match !== null && match[2] === open.ticks && match[3] === "" && match[4] === "") {
        const { language, info, lines } = open;
        blocks.push({ language, info, text: `${lines.join("\n")}\n`, line: open.line });
        open = undefined;
      } else
        open.lines.push(content.slice(Math.min(open.indent, content.length - content.trimStart().length)));
      return;
    }
    if (match !== null) {
      const [, indent = "", ticks = "", language = "", info = ""] = match;
      open = { indent: indent.length, ticks, language, info: info.trim(), line, lines: [] };
      return;
    }
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(content)?.[1];
    if (heading !== undefined) anchors.add(unusedAnchor(anchors, slug(heading)));
    for (const [, name] of content.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(name as string);
    for (const [, code] of content.matchAll(/`([^`]+)`/g)) codes.push({ target: code as string, line });
    const bare = content.replace(/`[^`]*`/g, "");
    for (const [, target] of bare.matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g))
      links.push({ target: target as string, line });
    for (const [, target] of bare.matchAll(/<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)="([^"]+)"/g))
      links.push({ target: target as string, line });
  });
  return { file, text, blocks, links, anchors, codes };
}

/** The anchor that GitHub gives a heading. */
function slug(heading: string): string {
  return heading
    .replace(/`([^`]*)`/g, "$1")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[*]/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-");
}

function unusedAnchor(taken: ReadonlySet<string>, wanted: string): string {
  if (!taken.has(wanted)) return wanted;
  let number = 1;
  while (taken.has(`${wanted}-${number}`)) number++;
  return `${wanted}-${number}`;
}
