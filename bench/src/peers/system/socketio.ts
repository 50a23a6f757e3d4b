import { nodeServer } from "../server/node-server.ts";
import { packageVersion } from "../version.ts";
import type { Peer } from "./system.ts";

const file = new URL("../server/socketio-relay.ts", import.meta.url);

export const socketio: Peer = {
  name: "socket.io",
  // npm has it from package.json.
  install: async () => {},
  version: async () => packageVersion("socket.io"),
  systems: [
    {
      name: "socket.io",
      durable: false,
      acknowledgement:
        "the callback of emit says that the server has the message and has passed it on, nothing is stored; each receiver answers each message with a callback to the server",
      without: { backlog: "keeps nothing for who is away" },
      server: () => nodeServer("socketio", file, (port) => ({ protocol: "socketio", port })),
    },
  ],
};
