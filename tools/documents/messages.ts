/** Messages that docs/operating/troubleshooting.md and runbooks.md quote are ones that the code can say. */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Objection } from "./library.ts";
import type { Document } from "./markdown.ts";

const sources = ["packages/*/src/**/*.ts", "tools/**/*.mjs"];
/** Not ours. */
const foreign = new Set([
  'Unknown file extension ".ts"',
  "No space left",
  "Slow Consumer",
  "no live upstreams",
  "connect() failed",
  "no pg_hba.conf entry",
  "no encryption",
  "unable to verify the first certificate",
  "self-signed certificate",
  "does not match certificate's altnames",
  "SECURITY WARNING: The SSL modes",
  "wrong version number",
]);
/** What is to be typed or asked, and addresses. */
const noMessage =
  /^((npm (start|test|run)|npx|node|GET|POST|curl|ip|iostat|openssl|journalctl|systemctl) |rate\(|\/etc\/)/;
/** The name of a log line. */
const event = /^[a-z]+\.[a-z]+$/;

export async function checkMessages(root: string, document: Document): Promise<Objection[]> {
  const text = await sourceText(root);
  return document.codes
    .filter(({ target }) => event.test(target) || (target.includes(" ") && !noMessage.test(`${target} `)))
    .filter(({ target }) => !foreign.has(target) && !isSaid(target, text))
    .map(({ target, line }) => ({ file: document.file, line, message: `nothing says \`${target}\`` }));
}

/** `…` stands for what differs. Exported for its test. */
export function isSaid(message: string, source: string): boolean {
  const pattern = message
    .split("…")
    .map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(" ?\\S* ?");
  return new RegExp(pattern).test(source);
}

/** All sources in one, `…` for what a template inserts. */
async function sourceText(root: string): Promise<string> {
  const texts: string[] = [];
  for await (const file of glob(sources, { cwd: root, exclude: ["**/node_modules/**"] }))
    texts.push(await readFile(join(root, file), "utf8"));
  return texts.join("\n").replace(/\$\{[^{}]*\}/g, "…");
}
