import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const host = "127.0.0.1";

/**
 * An address that leads to one server at a time, as a virtual IP or a proxy does. Where it leads to may change, with the
 * connections of before left as they are, or cut.
 */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #ports: readonly number[];
  #count = 0;

  /** Resolves once it listens, on a port of its own. */
  static async to(port: number): Promise<Relay> {
    const relay = new Relay(port);
    relay.#server.listen(0, host);
    await once(relay.#server, "listening");
    return relay;
  }

  private constructor(port: number) {
    this.#ports = [port];
    this.#server = createServer((near) => {
      const far = connect(this.#ports[this.#count++ % this.#ports.length] as number, host);
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  /** `url`, by way of the relay. */
  url(url: string): string {
    const through = new URL(url);
    through.port = `${(this.#server.address() as AddressInfo).port}`;
    return through.href;
  }

  /** New connections lead there from now on; to several in turns, as while it changes. */
  lead(...ports: readonly number[]): void {
    this.#ports = ports;
  }

  /** Ends the connections of now, on both sides. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay();
    from.on("data", (chunk) => to.write(chunk)).on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
