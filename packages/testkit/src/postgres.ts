/**
 * A PostgreSQL server of our own, from Debian's packages: for tests and measurements that restart it. It runs as an
 * unprivileged user in a temporary folder, and ends with us, however we end.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findProgram, installPackages } from "./debian.ts";
import { freePorts } from "./free-port.ts";

export interface PostgresOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** `fast` ends connections and writes a checkpoint; `immediate` is what a crash does. */
export type PostgresShutdown = "fast" | "immediate";

const programs = "/usr/lib/postgresql";
const clusterConfig = "/etc/postgresql-common/createcluster.conf";
const signals = { fast: "SIGINT", immediate: "SIGQUIT" } as const;
const user = "hongyan";
const host = "127.0.0.1";
const readyMsMax = 60_000;
const outputLengthMax = 100_000;

/** Why there can be no server here, for tests that are skipped then; undefined where there can. */
export function whyNoPostgres(): string | undefined {
  if (findBin() !== undefined || (process.getuid?.() === 0 && findProgram("apt-get") !== undefined))
    return undefined;
  return `no PostgreSQL in ${programs}, and only root on Debian can install it`;
}

/** Installs PostgreSQL where it is missing (as root, on Debian), makes a fresh cluster and starts it. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = findBin() ?? (await install());
  const folder = await mkdtemp(join(tmpdir(), "hongyan-postgres-"));
  const owner = unprivileged();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const [port = 0] = await freePorts(1);
  const server = new PostgresServer({ bin, folder, owner, port, settings: options.settings ?? {} });
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
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export class PostgresServer {
  readonly #cluster: Cluster;
  readonly #password = randomBytes(12).toString("hex");
  readonly #watchdog: ChildProcess;
  #process: ChildProcess | undefined;
  #output = "";

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
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
    const { folder, owner, settings, port } = this.#cluster;
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, this.#password);
    if (owner !== undefined) chownSync(passwordFile, owner.uid, owner.gid);
    await this.#run("initdb", [
      ...["-D", this.#data, "-U", user, "--pwfile", passwordFile, "--auth", "scram-sha-256"],
      ...["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
    ]);
    const config = {
      listen_addresses: host,
      port: `${port}`,
      unix_socket_directories: folder,
      log_min_messages: "warning",
      max_connections: "200",
      ...settings,
    };
    const lines = Object.entries(config).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(this.#data, "postgresql.auto.conf"), lines.join(""));
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

  /** Makes a primary of it again. */
  async promote(): Promise<void> {
    await this.shutDown("fast");
    rmSync(this.#standbyFile);
    await this.start();
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

/**
 * A process that outlives us for a moment: when its input ends, because we closed it or because we are gone, it ends
 * the server and removes the folder. Of a session of its own, so that Ctrl-C does not end it first.
 */
function watch(folder: string): ChildProcess {
  const script = [
    "cat >/dev/null",
    'pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null',
    // The file goes last; and also where it does not, as when PostgreSQL was killed, this comes to an end.
    'tries=0; while [ -e "$0/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries+1)); done',
    'rm -rf "$0"',
  ].join("; ");
  const watchdog = spawn("/bin/sh", ["-c", script, folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.unref();
  return watchdog;
}

/** The programs of the newest version that is installed. */
function findBin(): string | undefined {
  if (!existsSync(programs)) return undefined;
  const versions = readdirSync(programs).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(programs, version, "bin"))
    .find((bin) => existsSync(join(bin, "postgres")));
}

/** Debian would make a cluster of its own with the server: it is told not to before the server comes. */
async function install(): Promise<string> {
  const say = (line: string): void => console.error(line);
  const isOurs = !existsSync(clusterConfig);
  await installPackages(["postgresql-common"], say);
  if (isOurs) writeFileSync(clusterConfig, "create_main_cluster = false\n");
  await installPackages(["postgresql"], say);
  const bin = findBin();
  if (bin === undefined)
    throw new Error(`postgresql is installed, but there is no ${programs}/*/bin/postgres`);
  return bin;
}

/** PostgreSQL refuses to run as root: the user that Debian's package brings. Undefined where we are not root. */
function unprivileged(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((one) => one.startsWith("postgres:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error("there is no user postgres to run the server as");
  return { uid: Number(uid), gid: Number(gid) };
}
