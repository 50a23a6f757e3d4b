import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A wire between a store and its server that can be cut on the store's side alone: the server does not notice. */
export class WireCutter {
  /** Bytes that have gone to the server. */
  sentBytes = 0;
  readonly #server: Server;
  readonly #near = new Set<Socket>();
  readonly #far = new Set<Socket>();

  static async to(url: string): Promise<{ readonly wire: WireCutter; readonly url: string }> {
    const there = new URL(url);
    const wire = new WireCutter(Number(there.port), there.hostname);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    const address = wire.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    there.port = `${address.port}`;
    return { wire, url: there.href };
  }

  private constructor(port: number, host: string) {
    this.#server = createServer((near) => {
      const far = connect(port, host);
      this.#near.add(near);
      this.#far.add(far);
      near
        .on("data", (chunk) => {
          this.sentBytes += chunk.length;
          far.write(chunk);
        })
        .on("error", () => {});
      far.on("data", (chunk) => near.write(chunk)).on("error", () => {});
      far.on("close", () => near.destroy());
    });
  }

  /** Cuts what is connected now; new connections work. */
  cut(): void {
    for (const near of this.#near) near.destroy();
    this.#near.clear();
  }

  async close(): Promise<void> {
    this.cut();
    for (const far of this.#far) far.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
