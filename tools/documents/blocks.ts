/**
 * What becomes of a code block. Every block is checked in the way of its language; one that must not run says why
 * on its fence: ```sh no-run: needs two machines
 */
import type { Objection } from "./library.ts";
import type { Block, Document } from "./markdown.ts";

export type Fate =
  /** A command that starts a server; the blocks after it talk to that one. */
  | { readonly kind: "server" }
  /** Runs in the shell of its document. */
  | { readonly kind: "shell" }
  /** What the block before it has printed; `…` stands for anything. */
  | { readonly kind: "output" }
  /** A program: types are checked, then it runs. */
  | { readonly kind: "program" }
  /** Types are checked, and nothing else. */
  | { readonly kind: "types" }
  /** Must parse. */
  | { readonly kind: "json" }
  /** To be read only. */
  | { readonly kind: "text" };

const readOnly = new Set([
  "",
  "text",
  "http",
  "mermaid",
  "diff",
  "ini",
  "yaml",
  "toml",
  "nginx",
  "html",
  "css",
  "python",
  "sql",
  "promql",
]);

export function fateOf({ language, info }: Block): Fate | string {
  const reason = /^no-run: \S.*$/.test(info);
  if (info.startsWith("no-run") && !reason) return "no-run needs a reason: ```sh no-run: needs two machines";
  if (info === "output") return { kind: "output" };
  switch (language) {
    case "sh":
      if (info === "server") return { kind: "server" };
      return reason
        ? { kind: "text" }
        : info === ""
          ? { kind: "shell" }
          : `"${info}" says nothing about a shell block`;
    case "ts":
    case "tsx":
      if (reason) return { kind: "types" };
      return info === "" && language === "ts"
        ? { kind: "program" }
        : `a ${language} block needs nothing or "no-run: reason" on its fence`;
    case "js":
      return reason
        ? { kind: "text" }
        : info === ""
          ? { kind: "program" }
          : `"${info}" says nothing about a js block`;
    case "json":
      return { kind: "json" };
    default:
      return readOnly.has(language)
        ? { kind: "text" }
        : `${language} blocks are not known to tools/documents`;
  }
}

/** Objections that need no server: unknown languages, words on a fence that mean nothing, JSON that is none. */
export function checkBlocks(document: Document): Objection[] {
  const objections: Objection[] = [];
  for (const block of document.blocks) {
    const object = (message: string) => objections.push({ file: document.file, line: block.line, message });
    const fate = fateOf(block);
    if (typeof fate === "string") object(fate);
    else if (fate.kind === "json") {
      try {
        JSON.parse(block.text);
      } catch (error) {
        object(`not JSON: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return objections;
}

/** True where something of the document runs. */
export function runs(document: Document): boolean {
  return document.blocks.some((block) => {
    const fate = fateOf(block);
    return typeof fate !== "string" && ["server", "shell", "program"].includes(fate.kind);
  });
}
