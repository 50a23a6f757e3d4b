/**
 * The real server as a child process: for whole-system tests and replays that kill it. What it starts, it ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "./free-port.ts";

export interface LaunchOptions {
  /** Tenants, each with a key and an API key of its own. Default: one, `main`. */
  readonly domains?: readonly string[] | undefined;
  /** Another one, whose tenants and keys this one has, too. */
  readonly like?: LaunchedServer | undefined;
  /** Any other keys of the configuration file. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default: free ones, which stay the same over restarts. */
  readonly ports?: readonly [http: number, tcp: number] | undefined;
  /** A data directory that outlives the launcher. Default: a fresh one that `close` removes. */
  readonly data?: string | undefined;
  /** Time for the server to answer `/readyz`. */
  readonly startTimeoutMs?: number | undefined;
}

export interface LaunchedServer {
  readonly httpUrl: string;
  readonly wsUrl: string;
  readonly host: string;
  readonly httpPort: number;
  readonly tcpPort: number;
  readonly data: string;
  /** By domain. */
  readonly keys: ReadonlyMap<string, DomainKeys>;
  /** API key of the first domain. */
  readonly apiKey: string;
  apiKeyOf(domain: string): string;
  /** A token as the customer's backend makes it: HS256, valid for an hour unless said otherwise. */
  token(user: string, domain?: string, lifetimeMs?: number): string;
  /** Everything that the server has printed, over all its lives. */
  readonly output: string;
  readonly pid: number | undefined;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves to the exit code when the process is gone. SIGKILL after 10 s. */
  stop(): Promise<number | null>;
  /** Starts again on the same ports and data; resolves when it is ready, to the milliseconds that took. */
  start(): Promise<number>;
  /** Ends the process and removes what the launcher has made. */
  close(): Promise<void>;
}

export interface DomainKeys {
  readonly keyId: string;
  readonly secret: string;
  readonly apiKey: string;
}

/** Starts the server and resolves when it is ready. */
export async function launchServer(options: LaunchOptions = {}): Promise<LaunchedServer> {
  const directory = await mkdtemp(join(tmpdir(), "hongyan-"));
  const domains = options.domains ?? ["main"];
  const keys = options.like?.keys ?? new Map(domains.map((domain) => [domain, newKeys(domain)]));
  const configFile = join(directory, "hongyan.json");
  const domainConfig = Object.fromEntries(
    [...keys].map(([domain, { keyId, secret, apiKey }]) => [
      domain,
      { keys: { [keyId]: secret }, apiKeys: { [`backend-${domain}`]: apiKey } },
    ]),
  );
  await writeFile(configFile, JSON.stringify({ ...options.settings, domains: domainConfig }));
  const [http = 0, tcp = 0] = options.ports ?? (await freePorts(2));
  const data = options.data ?? join(directory, "data");
  const launcher = new Launcher({
    directory,
    configFile,
    data,
    host: options.host ?? "127.0.0.1",
    ports: { http, tcp },
    keys,
    startTimeoutMs: options.startTimeoutMs ?? 20_000,
  });
  try {
    await launcher.start();
  } catch (error) {
    await launcher.close();
    throw error;
  }
  return launcher;
}

function newKeys(domain: string): DomainKeys {
  return {
    keyId: `k-${domain}`,
    secret: randomBytes(32).toString("base64url"),
    apiKey: randomBytes(32).toString("base64url"),
  };
}

interface Launch {
  readonly directory: string;
  readonly configFile: string;
  readonly data: string;
  readonly host: string;
  readonly ports: { readonly http: number; readonly tcp: number };
  readonly keys: ReadonlyMap<string, DomainKeys>;
  readonly startTimeoutMs: number;
}

/** The last so many characters of output are kept. */
const outputLengthMax = 1_000_000;

class Launcher implements LaunchedServer {
  readonly #launch: Launch;
  #child: ChildProcess | undefined;
  #output = "";
  /** A launcher that is not closed must not leave a server behind. */
  readonly #onExit = (): void => {
    this.#child?.kill("SIGKILL");
  };

  constructor(launch: Launch) {
    this.#launch = launch;
    process.on("exit", this.#onExit);
  }

  get host(): string {
    return this.#launch.host;
  }
  get httpPort(): number {
    return this.#launch.ports.http;
  }
  get tcpPort(): number {
    return this.#launch.ports.tcp;
  }
  get httpUrl(): string {
    return `http://${this.host}:${this.httpPort}`;
  }
  get wsUrl(): string {
    return `ws://${this.host}:${this.httpPort}/ws`;
  }
  get keys(): ReadonlyMap<string, DomainKeys> {
    return this.#launch.keys;
  }
  get data(): string {
    return this.#launch.data;
  }
  get output(): string {
    return this.#output;
  }
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get apiKey(): string {
    return this.#keysOf([...this.keys.keys()][0] ?? "").apiKey;
  }

  apiKeyOf(domain: string): string {
    return this.#keysOf(domain).apiKey;
  }

  token(user: string, domain = [...this.#launch.keys.keys()][0] ?? "", lifetimeMs = 3_600_000): string {
    const { keyId, secret } = this.#keysOf(domain);
    const exp = Math.floor((Date.now() + lifetimeMs) / 1000);
    return signToken({ alg: "HS256", typ: "JWT", kid: keyId }, { sub: user, domain, exp }, secret);
  }

  async start(): Promise<number> {
    if (this.#child !== undefined) throw new Error("the server is running");
    const startedAt = performance.now();
    const { configFile, data, host, ports } = this.#launch;
    const main = join(dirname(fileURLToPath(import.meta.resolve("@hongyan/server"))), "main.ts");
    const flags = [
      "start",
      "--host",
      host,
      "--port",
      `${ports.http}`,
      "--tcp-port",
      `${ports.tcp}`,
      "--data",
      data,
      "--config",
      configFile,
    ];
    const child = spawn(process.execPath, [main, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-outputLengthMax);
      });
    }
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    await this.#ready(child, startedAt + this.#launch.startTimeoutMs);
    return performance.now() - startedAt;
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async close(): Promise<void> {
    await this.#end("SIGKILL");
    process.off("exit", this.#onExit);
    await rm(this.#launch.directory, { recursive: true, force: true });
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    const exited = once(child, "exit") as Promise<[number | null]>;
    child.kill(signal);
    const overdue = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const [code] = await exited;
    clearTimeout(overdue);
    return code;
  }

  async #ready(child: ChildProcess, deadline: number): Promise<void> {
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(
          `the server ended with ${child.exitCode ?? child.signalCode} before it was ready:\n${this.#output}`,
        );
      }
      if (performance.now() > deadline) {
        throw new Error(
          `the server was not ready within ${this.#launch.startTimeoutMs} ms:\n${this.#output}`,
        );
      }
      const isReady = await fetch(`${this.httpUrl}/readyz`).then(
        async (response) => {
          await response.body?.cancel();
          return response.ok;
        },
        () => false,
      );
      if (isReady) return;
      await pause(5);
    }
  }

  #keysOf(domain: string): DomainKeys {
    const keys = this.#launch.keys.get(domain);
    if (keys === undefined) throw new Error(`the server was launched without a domain ${domain}`);
    return keys;
  }
}

/** A compact JWT. */
export function signToken(header: object, claims: object, secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const content = `${encode(header)}.${encode(claims)}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}
