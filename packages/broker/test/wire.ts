import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A wire to a server that can be cut, while the server stays. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  /** How often somebody came. */
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(port: number): Promise<Wire> {
    const server = createServer((near) => made.#join(near, connect(port, "127.0.0.1")));
    const made = new Wire(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return made;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What is sent from now on stays on the way. */
  hold(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Ends what is open; what comes is ended at once. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, far: Socket): void {
    this.connections++;
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
    if (this.#isCut) near.destroy();
  }
}
