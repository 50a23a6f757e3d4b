import { connect, type Socket } from "node:net";

const waitMsMax = 5000;

/** Resolves once `condition` holds; rejects after five seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + waitMsMax;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client that sends and sees the very bytes. */
export class RawSocket {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  hasEnded = false;
  hasClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on("end", () => {
      this.hasEnded = true;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.hasClosed = true;
    });
  }

  static open(port: number): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () =>
        resolve(new RawSocket(socket)),
      );
      socket.once("error", reject);
    });
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Writes, and waits until the operating system has taken it. */
  writeAll(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  async ends(): Promise<void> {
    await until("the end of the stream", () => this.hasEnded || this.hasClosed);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
