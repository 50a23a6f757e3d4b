import { nodeServer } from "../server/node-server.ts";
import { packageVersion } from "../version.ts";
import type { Peer } from "./system.ts";

const file = new URL("../server/aedes-broker.ts", import.meta.url);

export const aedes: Peer = {
  name: "aedes",
  // npm has it from package.json.
  install: async () => {},
  version: async () => packageVersion("aedes"),
  systems: [
    {
      name: "aedes qos1",
      durable: false,
      acknowledgement:
        "PUBACK says that the broker has the message in memory; each receiver acknowledges each message with PUBACK to the broker",
      server: () => nodeServer("aedes", file, (port) => ({ protocol: "mqtt", port })),
    },
  ],
};
