/** A real server in its own process: started as a user would start it, killed as a power cut would. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { freePorts } from "@hongyan/testkit/free-port";
import { atExit } from "./at-exit.ts";
import { Folder } from "./folder.ts";
import { mintToken, type Signer } from "./tokens.ts";
import { inTree } from "./tree.ts";

const gcOnSignal = new URL("./gc-on-signal.ts", import.meta.url).href;
const readyMsMax = 60_000;

export interface ServerOptions {
  /** Settings beside those that every run needs. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Where a CPU profile is written when the server stops. */
  readonly profileFolder?: string | undefined;
  /** A node of the same cluster: tokens and API key of the one are good at the other. */
  readonly like?: Server | undefined;
  /** Lets `SIGUSR2` collect garbage. */
  readonly collectable?: boolean;
  /** Flags for Node. What they preload gets an IPC channel and answers `ask`. */
  readonly execArgv?: readonly string[];
}

export class Server {
  readonly folder = new Folder("bench");
  readonly signer: Signer;
  readonly apiKey: string;
  port = 0;
  tcpPort = 0;
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    const { like } = options;
    this.signer = like?.signer ?? {
      domain: "bench",
      keyId: "bench",
      secret: randomBytes(32).toString("hex"),
    };
    this.apiKey = like?.apiKey ?? randomBytes(32).toString("hex");
  }

  get data(): string {
    return this.folder.file("data");
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  token(user: string): string {
    return mintToken(this.signer, user);
  }

  /** Starts the process, on the ports it had before; resolves with the milliseconds until it listened. */
  async start(): Promise<number> {
    if (this.port === 0) [this.port = 0, this.tcpPort = 0] = await freePorts(2);
    const config = this.folder.file("config.json");
    const { domain, keyId, secret } = this.signer;
    writeFileSync(
      config,
      JSON.stringify({
        domains: { [domain]: { keys: { [keyId]: secret }, apiKeys: { bench: this.apiKey } } },
        log: { level: "warn" },
        ...this.#options.settings,
      }),
      { mode: 0o600 },
    );
    const { profileFolder, collectable, execArgv } = this.#options;
    const startMs = performance.now();
    const child = spawn(
      process.execPath,
      [
        ...(profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`]),
        ...(collectable === true ? ["--expose-gc", "--import", gcOnSignal] : []),
        ...(execArgv ?? []),
        ...[
          inTree("packages/server/src/main.ts"),
          "start",
          "--port",
          `${this.port}`,
          "--tcp-port",
          `${this.tcpPort}`,
          "--data",
          this.data,
          "--config",
          config,
        ],
      ],
      {
        stdio: ["ignore", "pipe", "pipe", ...(execArgv === undefined ? [] : ["ipc" as const])],
        env: withoutSettings(process.env),
      },
    );
    this.#process = child;
    child.once(
      "exit",
      atExit(() => child.kill("SIGKILL")),
    );
    await isReady(child);
    return performance.now() - startMs;
  }

  collectGarbage(): void {
    this.#process?.kill("SIGUSR2");
  }

  /** Sends `question` to what was preloaded into the process; resolves with its answer. */
  ask<T>(question: string): Promise<T> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      if (child?.connected !== true)
        return reject(new Error("the server has nothing preloaded that answers"));
      const gone = () => reject(new Error("the server ended instead of answering"));
      child.once("exit", gone);
      child.once("message", (answer) => {
        child.off("exit", gone);
        resolve(answer as T);
      });
      child.send(question);
    });
  }

  /** Asks the server to end and waits for it. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Nothing that is not on disk survives this. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Kills the process where it still runs and deletes its data. */
  async remove(): Promise<void> {
    await this.kill();
    this.folder.remove();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }
}

/** Resolves once the server has said that it is ready; its log lines are shown where something is wrong. */
function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    let isListening = false;
    const timer = setTimeout(
      () => reject(new Error(`the server was not ready within ${readyMsMax / 1000} s\n${log}`)),
      readyMsMax,
    );
    child.stderr?.on("data", (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-10_000);
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      if (!chunk.toString().includes("Hongyan is ready")) return;
      isListening = true;
      clearTimeout(timer);
      resolve();
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      if (!isListening) reject(new Error(`the server ended (${signal ?? code})\n${log}`));
      else if (code !== 0 && code !== null)
        process.stderr.write(`the server ended by itself (${code})\n${log}\n`);
    });
  });
}

/** A developer's own settings must not change what is measured. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith("HONGYAN_") && name !== "NODE_OPTIONS"),
  );
}
