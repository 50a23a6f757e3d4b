/** A server for one document: a process of its own on free ports, with a fresh data directory. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "@hongyan/testkit/free-port";

export interface RunningServer {
  readonly port: number;
  readonly tcpPort: number;
  stop(): Promise<void>;
}

const startMsMax = 60_000;

/** `command`: what the document says (`npm start -- …`), or nothing for a plain start. Rejects with its output. */
export async function startServer(root: string, data: string, command?: string): Promise<RunningServer> {
  const [port = 0, tcpPort = 0] = await freePorts(2);
  const own = ["--port", String(port), "--tcp-port", String(tcpPort), "--data", data];
  const [program, ...args] =
    command === undefined
      ? [process.execPath, join(root, "packages/server/src/main.ts"), "start", ...own]
      : ["npm", "start", "--", ...withoutFlags(command, ["--port", "--tcp-port", "--data"]), ...own];
  const child = spawn(program as string, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const stop = () => end(child);
  const until = Date.now() + startMsMax;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`the server has ended:\n${output}`);
    if (await answers(port)) return { port, tcpPort, stop };
    await delay(50);
  }
  await stop();
  throw new Error(`the server was not ready within ${startMsMax / 1000} s:\n${output}`);
}

/** The arguments behind `--`, without the flags that are set here. */
function withoutFlags(command: string, flags: readonly string[]): string[] {
  const words = command.trim().split(/\s+/);
  const at = words.indexOf("--");
  const args = at < 0 ? [] : words.slice(at + 1);
  return args.filter((arg, i) => !flags.includes(arg) && !flags.includes(args[i - 1] ?? ""));
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

/** npm passes a signal on only sometimes: the whole group of processes that was started here gets it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  signal(child.pid, "SIGTERM");
  const timer = setTimeout(() => signal(child.pid as number, "SIGKILL"), 8_000);
  await ended;
  clearTimeout(timer);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
