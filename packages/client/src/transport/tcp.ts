import { createConnection } from "node:net";
import type { Transport, TransportConnection, TransportEvents } from "../ports.ts";
import { joined } from "./websocket.ts";

/** Time for what was written to leave after `close`. */
const lingerMs = 1_000;

/** Binary frames over a TCP stream. */
export class TcpTransport implements Transport {
  readonly name = "tcp";
  readonly mode = "binary";
  readonly #host: string;
  readonly #port: number;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  open(events: TransportEvents): TransportConnection {
    const socket = createConnection({ host: this.#host, port: this.#port, noDelay: true, keepAlive: true });
    let isOver = false;
    let reason = "the connection was closed";
    socket.on("connect", () => {
      if (!isOver) events.opened();
    });
    socket.on("data", (bytes) => {
      if (!isOver) events.received(bytes);
    });
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.on("close", () => {
      if (isOver) return;
      isOver = true;
      events.closed({ reason });
    });
    return {
      send: (frames) => {
        if (!socket.destroyed) socket.write(joined(frames));
      },
      close: () => {
        if (isOver) return;
        isOver = true;
        if (socket.connecting) return void socket.destroy();
        socket.end();
        setTimeout(() => socket.destroy(), lingerMs).unref();
      },
    };
  }
}
