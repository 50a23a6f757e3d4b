/**
 * A PostgreSQL server of our own, from Debian's packages: for tests and measurements that restart it. It runs as an
 * unprivileged user in a temporary folder, and ends with us, however we end.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePorts } from "./free-port.ts";
import { findBin, install, type Owner, unprivileged } from "./postgres-programs.ts";
import { watch } from "./postgres-watchdog.ts";
import { childrenOf, killIfThere } from "./process-tree.ts";

export { whyNoPostgres } from "./postgres-programs.ts";

export interface PostgresOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** It is a standby of this one, which streams from it: the same data, users and passwords. */
  readonly follows?: PostgresServer;
}

/** `fast` ends connections and writes a checkpoint; `immediate` is what a crash does. */
export type PostgresShutdown = "fast" | "immediate";

const signals = { fast: "SIGINT", immediate: "SIGQUIT" } as const;
const user = "hongyan";
const host = "127.0.0.1";
const readyMsMax = 60_000;
const outputLengthMax = 100_000;

/** Installs PostgreSQL where it is missing (as root, on Debian), makes a fresh cluster, or a copy of one, and starts it. */
export async function startPostgres({
  settings = {},
  follows,
}: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = findBin() ?? (await install());
  const folder = await mkdtemp(join(tmpdir(), "hongyan-postgres-"));
  const owner = unprivileged();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const [port = 0] = await freePorts(1);
  const server = new PostgresServer({ bin, folder, owner, port, settings, follows });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

interface Cluster {
  readonly bin: string;
  readonly folder: string;
  readonly owner: Owner | undefined;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly follows: PostgresServer | undefined;
}

export class PostgresServer {
  readonly #cluster: Cluster;
  readonly #password: string;
  readonly #watchdog: ChildProcess;
  #process: ChildProcess | undefined;
  #output = "";

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#password =
      cluster.follows === undefined ? randomBytes(12).toString("hex") : cluster.follows.#password;
    this.#watchdog = watch(cluster.folder);
  }

  get port(): number {
    return this.#cluster.port;
  }

  /** Of the process that all others of the server descend from; 0 while it does not run. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** What the server has printed. */
  get output(): string {
    return this.#output;
  }

  /** Where a database is, with the name and password of a superuser. */
  url(database = "postgres"): string {
    return `postgres://${user}:${this.#password}@${host}:${this.port}/${database}`;
  }

  /** Makes a fresh database; returns its URL. `more` continues the statement. */
  async createDatabase(more = ""): Promise<string> {
    const name = `test_${randomBytes(6).toString("hex")}`;
    await this.sql(`CREATE DATABASE ${name} ${more}`);
    return this.url(name);
  }

  async dropDatabase(url: string): Promise<void> {
    await this.sql(`DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
  }

  /** Runs SQL with psql; resolves to what it prints, without headers. */
  sql(text: string, database = "postgres"): Promise<string> {
    return this.#run("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", text, this.url(database)]);
  }

  async initialise(): Promise<void> {
    const { folder, settings, port, follows } = this.#cluster;
    if (follows === undefined) await this.#create();
    else await this.#copy(follows);
    const config = {
      listen_addresses: host,
      port: `${port}`,
      unix_socket_directories: folder,
      log_min_messages: "warning",
      max_connections: "200",
      ...(follows === undefined ? {} : { primary_conninfo: follows.url() }),
      ...settings,
    };
    const lines = Object.entries(config).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(this.#data, "postgresql.auto.conf"), lines.join(""));
  }

  async #create(): Promise<void> {
    const { folder, owner } = this.#cluster;
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, this.#password);
    if (owner !== undefined) chownSync(passwordFile, owner.uid, owner.gid);
    await this.#run("initdb", [
      ...["-D", this.#data, "-U", user, "--pwfile", passwordFile, "--auth", "scram-sha-256"],
      ...["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
    ]);
  }

  async #copy(other: PostgresServer): Promise<void> {
    await this.#run("pg_basebackup", [
      ...["-D", this.#data, "-d", other.url(), "--checkpoint", "fast", "--no-sync"],
      ...["--wal-method", "stream"],
    ]);
    writeFileSync(this.#standbyFile, "");
  }

  /** Resolves once the server takes connections. */
  async start(): Promise<void> {
    const { bin, owner } = this.#cluster;
    const child = spawn(join(bin, "postgres"), ["-D", this.#data], {
      ...owner,
      cwd: this.#cluster.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-outputLengthMax);
      });
    }
    const end = performance.now() + readyMsMax;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > end)
        throw new Error(`PostgreSQL did not start:\n${this.#output}`);
      await pause(20);
    }
  }

  async shutDown(how: PostgresShutdown): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signals[how]);
    await exited;
  }

  async restart(how: PostgresShutdown): Promise<void> {
    await this.shutDown(how);
    await this.start();
  }

  /** Starts anew as a standby that follows nobody: it answers, and takes no writes. */
  async demote(): Promise<void> {
    await this.shutDown("fast");
    writeFileSync(this.#standbyFile, "");
    await this.start();
  }

  /** Makes a primary of a standby. */
  async promote(): Promise<void> {
    await this.sql("SELECT pg_promote()");
  }

  /** Changes settings that it reads anew while it runs. */
  async set(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings))
      await this.sql(`ALTER SYSTEM SET ${name} = '${value}'`);
    await this.sql("SELECT pg_reload_conf()");
  }

  /** Ends all its processes at once, as when its machine dies. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined) return;
    const exited = once(child, "exit");
    const backends = childrenOf(child.pid);
    child.kill("SIGKILL");
    for (const pid of backends) killIfThere(pid);
    await exited;
    rmSync(join(this.#data, "postmaster.pid"), { force: true });
  }

  /** Ends the server and removes its folder. */
  async stop(): Promise<void> {
    await this.shutDown("immediate");
    if (this.#watchdog.exitCode !== null) return;
    const removed = once(this.#watchdog, "exit");
    this.#watchdog.ref();
    this.#watchdog.stdin?.end();
    await removed;
  }

  get #data(): string {
    return join(this.#cluster.folder, "data");
  }

  get #standbyFile(): string {
    return join(this.#data, "standby.signal");
  }

  async #isReady(): Promise<boolean> {
    // The line with the state comes last, when the server has recovered.
    try {
      if (!/ready|standby/.test(readFileSync(join(this.#data, "postmaster.pid"), "utf8"))) return false;
    } catch {
      return false;
    }
    return new Promise((resolve) => {
      const socket = connect(this.port, host);
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  }

  #run(program: string, args: readonly string[]): Promise<string> {
    const { bin, folder, owner } = this.#cluster;
    return new Promise((resolve, reject) => {
      execFile(join(bin, program), args, { ...owner, cwd: folder }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trim());
        else reject(new Error(`${program}: ${stderr.trim() || error.message}`));
      });
    });
  }
}
