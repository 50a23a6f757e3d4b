/** A real NATS server for tests: Debian's, as a child process on a port of its own, ended by its id. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { ensureDebianPackage, findProgram } from "./debian.ts";
import { freePorts } from "./free-port.ts";

const isHere = findProgram("nats-server") !== undefined || process.getuid?.() === 0;

/** For the `skip` of tests that need one. */
export const natsMissing: string | false =
  !isHere && "SKIPPED: there is no nats-server (Debian: nats-server), and only root may install it";

export class NatsServer {
  readonly port: number;
  readonly #monitorPort: number;
  readonly #program: string;
  readonly #directory: string;
  #child: ChildProcess | undefined;
  /** One that is not stopped must not stay behind. */
  readonly #onExit = (): void => {
    this.#child?.kill("SIGKILL");
  };

  private constructor(program: string, directory: string, port: number, monitorPort: number) {
    this.#program = program;
    this.#directory = directory;
    this.port = port;
    this.#monitorPort = monitorPort;
    process.on("exit", this.#onExit);
  }

  /** `config`: lines of its configuration file beside the address. */
  static async start(config = ""): Promise<NatsServer> {
    const program = await ensureDebianPackage("nats-server", "nats-server");
    const directory = await mkdtemp(join(tmpdir(), "hongyan-nats-"));
    const [port = 0, monitorPort = 0] = await freePorts(2);
    const server = new NatsServer(program, directory, port, monitorPort);
    await server.#configure(config);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** How much it has sent since it started. */
  async sentBytes(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#monitorPort}/varz`);
    return ((await answer.json()) as { out_bytes: number }).out_bytes;
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, ["-c", join(this.#directory, "nats.conf")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000);
    });
    while (!(await this.#listens())) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`nats-server does not start: ${said}`);
      await after(20);
    }
  }

  /** As a power failure would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Kills it and starts it with other lines of configuration. */
  async restart(config: string): Promise<void> {
    await this.kill();
    await this.#configure(config);
    await this.start();
  }

  /** Alive, and reads nothing. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    process.off("exit", this.#onExit);
    await rm(this.#directory, { recursive: true, force: true });
  }

  #configure(config: string): Promise<void> {
    return writeFile(
      join(this.#directory, "nats.conf"),
      `listen: "127.0.0.1:${this.port}"\nhttp: "127.0.0.1:${this.#monitorPort}"\n${config}\n`,
    );
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const probe = connect(this.port, "127.0.0.1");
      // It speaks first.
      probe.once("data", () => {
        probe.destroy();
        resolve(true);
      });
      probe.once("error", () => resolve(false));
      probe.once("close", () => resolve(false));
    });
  }
}
