import { type AddressInfo, createServer, type Server } from "node:net";

/**
 * libuv takes one connection from a listening socket per turn of the event loop. When thousands come at once, every
 * turn has work, the queue of the one socket runs over, and those whose SYN was dropped try again after 1, 3, 7 …
 * seconds. 15,000 came back in 34 s, with sixteen sockets in 13 s.
 */
const socketsPerPort = 16;
const backlog = 4096;

/** A TCP port with several listening sockets (`SO_REUSEPORT`), which take connections for one server. */
export class Port {
  readonly #main: Server;
  readonly #others: Server[] = [];

  /** `main`: the server whose connections these are. */
  constructor(main: Server) {
    this.#main = main;
  }

  /** The port that it listens on, 0 before that. */
  get number(): number {
    return (this.#main.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Rejects where the port cannot be had. */
  async listen(port: number, host: string): Promise<void> {
    // Sockets that share their port would share it with another server of the same user, too: ask for it alone first.
    const probe = createServer();
    await listen(probe, { port, host });
    const { port: actual } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const shared = { port: actual, host, backlog, reusePort: true };
    try {
      await listen(this.#main, shared);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTSUP") throw error;
      // Some systems have no such thing: one socket serves as well, only not a storm.
      return listen(this.#main, { port: actual, host, backlog });
    }
    for (let i = 1; i < socketsPerPort; i++) {
      const other = createServer({ noDelay: true }, (socket) => this.#main.emit("connection", socket));
      this.#others.push(other);
      await listen(other, shared);
      // Out of file descriptors, say: such a connection is lost, the others stay.
      other.on("error", (error) => this.#main.emit("error", error));
    }
  }

  /** Accepts no more; resolves when the last connection is gone. */
  async close(): Promise<void> {
    await Promise.all([this.#main, ...this.#others].map((server) => closed(server)));
  }
}

function listen(server: Server, options: Parameters<Server["listen"]>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
