import { fileURLToPath } from "node:url";
import type { PeerEndpoint } from "../peer-client.ts";
import { DaemonServer } from "./daemon-server.ts";

const gcOnSignal = new URL("../../process/gc-on-signal.ts", import.meta.url).href;

/** A server that is a library: `file` runs it in a Node process of its own, on the port that it is given. */
export function nodeServer(name: string, file: URL, endpoint: (port: number) => PeerEndpoint): DaemonServer {
  return new DaemonServer({
    name,
    endpoint,
    prepare: async (port) => ({
      file: process.execPath,
      args: ["--expose-gc", "--import", gcOnSignal, fileURLToPath(file), `${port}`],
    }),
    isCollectable: true,
  });
}
