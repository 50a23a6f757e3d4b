/**
 * An entry machine: network, processes and files of its own, and on it the configuration of `deploy/`, in which
 * nothing but addresses is changed.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bridge, entryAddress } from "./world.ts";

const run = promisify(execFile);
const deploy = join(import.meta.dirname, "../../deploy");

/** What a node is reached by. */
export interface NodeAddress {
  readonly host: string;
  readonly httpPort: number;
  readonly tcpPort: number;
}

export interface MachineOptions {
  readonly name: string;
  readonly address: string;
  readonly peerAddress: string;
  readonly priority: number;
  readonly nodes: readonly NodeAddress[];
  /** Folder with chain.pem and key.pem. */
  readonly certificates: string;
}

/** The first process of a machine: lives as long as its input, and everything on the machine with it. */
const boot = `
set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log/nginx
mount -t tmpfs tmpfs /var/lib/nginx
mount --bind "$1/nginx" /etc/nginx
mount --bind "$1/keepalived" /etc/keepalived
ip link set lo up
echo booted
exec cat >/dev/null
`;

export class Machine {
  readonly name: string;
  readonly #shell: ChildProcess;
  /** The first process, as seen from the world. */
  readonly #pid: number;
  #said = "";

  private constructor(name: string, shell: ChildProcess, pid: number) {
    this.name = name;
    this.#shell = shell;
    this.#pid = pid;
  }

  /** Boots it and plugs it in; nothing runs yet. */
  static async boot(options: MachineOptions): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), "machine-"));
    await install(folder, options);
    const flags = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const shell = spawn("unshare", [...flags, "sh", "-c", boot, "sh", folder], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const [said] = (await Promise.race([once(shell.stdout, "data"), once(shell.stderr, "data")])) as [Buffer];
    if (!said.toString().startsWith("booted")) throw new Error(`${options.name} does not boot: ${said}`);
    const children = await readFile(`/proc/${shell.pid}/task/${shell.pid}/children`, "utf8");
    const machine = new Machine(options.name, shell, Number(children));
    await machine.#plugIn(options.address);
    return machine;
  }

  /** What Keepalived has said. */
  get said(): string {
    return this.#said;
  }

  async startNginx(): Promise<void> {
    await this.run("nginx");
  }

  /** All of it, as `kill -9` would. */
  async killNginx(): Promise<void> {
    await this.run("pkill", "-KILL", "nginx");
  }

  startKeepalived(): void {
    const child = spawn("nsenter", [...this.#inside, "keepalived", "--dont-fork", "--log-console"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#said = (this.#said + text).slice(-100_000);
      });
  }

  /** Whether it has the address that moves. */
  async isEntry(): Promise<boolean> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return false;
    return (await this.run("ip", "-brief", "address", "show", "eth0")).includes(` ${entryAddress}/`);
  }

  /** Pulls the plug, and everything on it ends at once: nobody is told anything. */
  async die(): Promise<void> {
    await run("ip", ["link", "set", this.name, "down"]);
    const dead = once(this.#shell, "exit");
    process.kill(this.#pid, "SIGKILL");
    await dead;
  }

  /** Runs a program on it; resolves to what it prints. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await run("nsenter", [...this.#inside, program, ...args]);
    return stdout + stderr;
  }

  get #inside(): string[] {
    return ["--target", `${this.#pid}`, "--net", "--mount", "--pid"];
  }

  async #plugIn(address: string): Promise<void> {
    const peer = ["peer", "name", "eth0", "netns", `${this.#pid}`];
    await run("ip", ["link", "add", this.name, "type", "veth", ...peer]);
    await run("ip", ["link", "set", this.name, "master", bridge, "up"]);
    await this.run("ip", "address", "add", `${address}/24`, "dev", "eth0");
    await this.run("ip", "link", "set", "eth0", "up");
  }
}

/** The files as `deploy/` has them, in `folder`, with other addresses. */
async function install(folder: string, options: MachineOptions): Promise<void> {
  const [nginx, keepalived] = [join(folder, "nginx"), join(folder, "keepalived")];
  await cp("/etc/nginx", nginx, { recursive: true });
  await cp(join(deploy, "nginx"), nginx, { recursive: true });
  await cp(options.certificates, join(nginx, "tls"), { recursive: true });
  await cp(join(deploy, "keepalived"), keepalived, { recursive: true });
  // The checks run as nobody.
  for (const path of [folder, keepalived]) await chmod(path, 0o755);
  await change(join(nginx, "nginx.conf"), [
    ["# include hongyan/listen-tls.conf;", "include hongyan/listen-tls.conf;"],
  ]);
  const nodes = options.nodes.map(({ host, httpPort, tcpPort }, n) => {
    const written = `server 10.0.0.1${n + 1}:`;
    return {
      http: [`${written}8080`, `server ${host}:${httpPort}`] as const,
      tcp: [`${written}7800`, `server ${host}:${tcpPort}`] as const,
    };
  });
  await change(
    join(nginx, "hongyan/nodes-http.conf"),
    nodes.map(({ http }) => http),
  );
  await change(
    join(nginx, "hongyan/nodes-tcp.conf"),
    nodes.map(({ tcp }) => tcp),
  );
  await change(join(keepalived, "keepalived.conf"), [
    ["priority 100", `priority ${options.priority}`],
    ["unicast_src_ip 10.0.0.21", `unicast_src_ip ${options.address}`],
    ["10.0.0.22", options.peerAddress],
    ["10.0.0.20/24", `${entryAddress}/24`],
  ]);
}

/** Replaces each text, which must be there once. */
async function change(
  file: string,
  replacements: readonly (readonly [from: string, to: string])[],
): Promise<void> {
  let text = await readFile(file, "utf8");
  for (const [from, to] of replacements) {
    if (text.split(from).length !== 2) throw new Error(`${file} does not have "${from}" once`);
    text = text.replace(from, to);
  }
  await writeFile(file, text);
}
