/** Somebody else's server as a child of ours: ready once its port answers, ended by the ids of its processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { atExit } from "../../process/at-exit.ts";
import { treeOf } from "../../process/process-tree.ts";

const readyMsMax = 90_000;
const logBytesMax = 4000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly port: number;
}

export class Daemon {
  readonly #command: Command;
  #process: ChildProcess | undefined;
  #log = "";
  #isKilled = false;

  constructor(command: Command) {
    this.#command = command;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { file, args, env, folder } = this.#command;
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    this.#log = "";
    this.#isKilled = false;
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-logBytesMax);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", (error) => keep(Buffer.from(error.message)));
    child.once(
      "exit",
      atExit(() => this.#killTree()),
    );
    await this.#listens();
    child.once("exit", (code, signal) => {
      if (!this.#isKilled)
        process.stderr.write(`${file} ended by itself (${signal ?? code}): ${this.#log.trim()}\n`);
    });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const gone = hasEnded(child) ? undefined : new Promise((resolve) => child.once("exit", resolve));
    this.#killTree();
    await gone;
    this.#process = undefined;
  }

  #killTree(): void {
    this.#isKilled = true;
    const child = this.#process;
    if (child?.pid === undefined || hasEnded(child)) return;
    for (const pid of treeOf(child.pid)) killIfThere(pid);
  }

  async #listens(): Promise<void> {
    const startMs = performance.now();
    while (!(await answers(this.#command.port))) {
      const child = this.#process;
      const hasFailed = child === undefined || child.pid === undefined || hasEnded(child);
      if (hasFailed || performance.now() - startMs > readyMsMax)
        throw new Error(
          `${this.#command.file} ${hasFailed ? "ended" : `did not listen within ${readyMsMax / 1000} s`}: ${this.#log.trim()}`,
        );
      await sleep(5);
    }
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended since.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
