/**
 * How the counts become independent of the machine: the server is stopped (SIGSTOP) while the load is laid into its
 * sockets, and goes on when all of it lies there. So it always finds the same work in one turn of its event loop,
 * however fast or busy the machine is.
 */
import { readFileSync } from "node:fs";

export class HeldProcess {
  readonly #pid: number;
  /** A line of /proc/net/tcp: established, accepted on one of the ports, with bytes in its receive queue. */
  readonly #unread: RegExp;

  /** `ports` are those on which the process accepts connections. */
  constructor(pid: number, ports: readonly number[]) {
    this.#pid = pid;
    const hex = ports.map((port) => port.toString(16).toUpperCase().padStart(4, "0")).join("|");
    const address = "[0-9A-F]{8}";
    this.#unread = new RegExp(`: ${address}:(?:${hex}) ${address}:.{4} 01 .{8}:(?!00000000)`, "g");
  }

  stop(): void {
    process.kill(this.#pid, "SIGSTOP");
  }

  continue(): void {
    process.kill(this.#pid, "SIGCONT");
  }

  get isStopped(): boolean {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  }

  /** Connections with bytes that the process has not read yet. */
  unread(): number {
    return readFileSync("/proc/net/tcp", "latin1").match(this.#unread)?.length ?? 0;
  }
}
