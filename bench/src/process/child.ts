/**
 * Processes of the bench that are told what to do: a file serves named jobs (`serveJobs`), its parent calls them one
 * at a time (`Child`). State between two jobs lives in the file's module.
 */
import { type ChildProcess, fork } from "node:child_process";
import { CpuMeter } from "./cpu.ts";

// biome-ignore lint/suspicious/noConfusingVoidType: a job may have nothing to say
export type Job = (input: never) => Promise<object | void>;

interface Call {
  readonly job: string;
  readonly input: unknown;
}
interface Answer {
  readonly result?: unknown;
  readonly error?: string;
  readonly cpuShare: number;
}

/** What a job gave, and which share of one core its process used meanwhile. */
export interface Done<R> {
  readonly result: R;
  readonly cpuShare: number;
}

export function serveJobs(jobs: Readonly<Record<string, Job>>): void {
  process.on("message", (call: Call) => void answer(jobs, call));
  // Without its parent a child has no purpose; it must not stay behind.
  process.on("disconnect", () => process.exit(0));
}

async function answer(jobs: Readonly<Record<string, Job>>, call: Call): Promise<void> {
  const cpu = new CpuMeter();
  let reply: Answer;
  try {
    const job = jobs[call.job];
    if (job === undefined) throw new Error(`no such job: ${call.job}`);
    const result = await job(call.input as never);
    reply = { result, cpuShare: cpu.share() };
  } catch (error) {
    reply = {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      cpuShare: cpu.share(),
    };
  }
  process.send?.(reply);
}

export interface ChildOptions {
  readonly execArgv?: readonly string[];
}

export class Child {
  readonly #process: ChildProcess;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(file: URL, options: ChildOptions = {}) {
    this.#process = fork(file, {
      execArgv: [...(options.execArgv ?? [])],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.on("message", (answer: Answer) => this.#settle()?.resolve(answer));
    this.#process.on("exit", (code, signal) =>
      this.#settle()?.reject(new Error(`a process of the bench ended: ${signal ?? code}`)),
    );
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async call<R>(job: string, input: object = {}): Promise<Done<R>> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (!this.#process.connected) return reject(new Error("a process of the bench is gone"));
      this.#process.send({ job, input } satisfies Call);
    });
    if (answer.error !== undefined) throw new Error(answer.error);
    return { result: answer.result as R, cpuShare: answer.cpuShare };
  }

  /** Ends the process and waits until it has gone. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await gone;
  }

  #settle(): { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
