/** Runs what a document tells its reader to run: all shell blocks and programs in order, in one shell. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fateOf } from "./blocks.ts";
import type { Objection } from "./library.ts";
import type { Block, Document } from "./markdown.ts";
import { type RunningServer, startServer } from "./running-server.ts";

const runMsMax = 90_000;
const marker = "@@ block";

export async function runDocument(root: string, document: Document): Promise<Objection[]> {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-document-"));
  let server: RunningServer | undefined;
  try {
    await furnish(root, folder);
    const start = document.blocks.find((block) => block.language === "sh" && block.info === "server");
    server = await startServer(root, join(folder, "data"), start?.text);
    const script = await writeScript(folder, document, server);
    const { code, output, timedOut } = await runScript(root, folder, script, server);
    return judge(document, code, output, timedOut);
  } catch (error) {
    return [
      { file: document.file, line: 1, message: error instanceof Error ? error.message : String(error) },
    ];
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The reader stands in a fresh clone: the folders of the repository are there, `data` is the server's own. */
async function furnish(root: string, folder: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!["data", "tmp", ".git"].includes(name)) await symlink(join(root, name), join(folder, name));
  }
  await mkdir(join(folder, "data"));
  await mkdir(join(folder, "tmp"));
}

/** Ports of the text are those of the server that runs. */
function adapted(text: string, { port, tcpPort }: RunningServer): string {
  return text
    .replace(/\b(127\.0\.0\.1|localhost):8080\b/g, `$1:${port}`)
    .replace(/\b(127\.0\.0\.1|localhost)(:| )7800\b/g, `$1$2${tcpPort}`);
}

async function writeScript(folder: string, document: Document, server: RunningServer): Promise<string> {
  const lines = ["set -euo pipefail", 'hongyan() { node packages/server/src/main.ts "$@"; }'];
  for (const block of document.blocks) {
    const fate = fateOf(block);
    if (typeof fate === "string") continue;
    if (fate.kind === "shell") lines.push(mark(block), adapted(block.text, server));
    if (fate.kind === "program") {
      const file = join(folder, `block-${block.line}.${block.language === "js" ? "mjs" : "ts"}`);
      await writeFile(file, adapted(block.text, server));
      lines.push(mark(block), `node ${file}`);
    }
  }
  lines.push(`echo; echo "${marker} end"`);
  const script = join(folder, "document.sh");
  await writeFile(script, `${lines.join("\n")}\n`);
  return script;
}

const mark = (block: Block) => `echo; echo "${marker} ${block.line}"`;

function runScript(
  root: string,
  folder: string,
  script: string,
  { port, tcpPort }: RunningServer,
): Promise<{ code: number; output: string; timedOut: boolean }> {
  return new Promise((resolve) => {
    const path = `${join(root, "node_modules/.bin")}:${dirname(process.execPath)}:${process.env.PATH}`;
    // Where the examples connect to when nobody tells them.
    const examples = { CHAT_URL: `ws://127.0.0.1:${port}/ws`, CHAT_TCP_URL: `tcp://127.0.0.1:${tcpPort}` };
    const child = spawn("bash", [script], {
      cwd: folder,
      env: { ...process.env, PATH: path, NO_COLOR: "1", TMPDIR: join(folder, "tmp"), ...examples },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, runMsMax);
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output, timedOut });
    });
  });
}

function judge(document: Document, code: number, output: string, timedOut: boolean): Objection[] {
  const printed = new Map<string, string>();
  for (const part of output.split(`${marker} `).slice(1)) {
    const at = part.indexOf("\n");
    printed.set(part.slice(0, at), part.slice(at + 1));
  }
  if (code !== 0) {
    const last = [...printed].at(-1);
    const line = Number(last?.[0] ?? 1);
    const what = timedOut ? `did not end within ${runMsMax / 1000} s` : `failed (exit code ${code})`;
    return [{ file: document.file, line, message: `${what}:\n${(last?.[1] ?? output).trimEnd()}` }];
  }
  return document.blocks.flatMap((block, at) => {
    if (block.info !== "output") return [];
    const before = document.blocks.slice(0, at).findLast((candidate) => printed.has(String(candidate.line)));
    const actual = printed.get(String(before?.line)) ?? "";
    if (shows(actual, block.text)) return [];
    return [
      { file: document.file, line: block.line, message: `this is not the output; it is:\n${actual.trim()}` },
    ];
  });
}

/** Whether `actual` contains the lines of `expected`, in order and together; `…` stands for anything. */
export function shows(actual: string, expected: string): boolean {
  const pattern = expected
    .trim()
    .split("\n")
    .map((line) =>
      line
        .trimEnd()
        .split("…")
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        .join(".*"),
    )
    .join("\\s*\\n");
  return new RegExp(`^${pattern}`, "m").test(actual.replaceAll("\r", ""));
}
