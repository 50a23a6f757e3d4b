import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** The way between one browser and the server, which can be cut: a browser's own offline mode leaves open WebSockets alone. */
export interface Network {
  readonly url: string;
  /** Every connection breaks and no new one comes through. */
  cut(): void;
  /** Every connection stays open, and nothing comes through any more until `mend`, which breaks them. */
  hold(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function network(serverPort: number): Promise<Network> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isHeld = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const proxy = createServer((near) => {
    keep(near);
    if (isCut) return near.destroy();
    const far = connect(serverPort, "127.0.0.1");
    keep(far);
    if (!isHeld) near.pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    hold() {
      isHeld = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      isCut = false;
      // What was lost on the way stays lost.
      if (isHeld) for (const socket of sockets) socket.destroy();
      isHeld = false;
    },
    async close() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, "close");
    },
  };
}
