import { writeFileSync } from "node:fs";
import { findProgram, installPackages, output } from "@hongyan/testkit/debian";
import { DaemonServer } from "../server/daemon-server.ts";
import type { Peer } from "./system.ts";

function server(): DaemonServer {
  return new DaemonServer({
    name: "mosquitto",
    endpoint: (port) => ({ protocol: "mqtt", port }),
    async prepare(port, folder) {
      const config = folder.file("mosquitto.conf");
      writeFileSync(config, configuration(port, folder.path));
      return { file: findProgram("mosquitto") ?? "mosquitto", args: ["-c", config] };
    },
  });
}

function configuration(port: number, folder: string): string {
  return [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "user root",
    "set_tcp_nodelay true",
    "log_type error",
    // By default 20 messages are in flight to a client and 1,000 wait: that would lose some of the backlog.
    "max_inflight_messages 0",
    "max_queued_messages 0",
    "persistence true",
    `persistence_location ${folder}/`,
    "",
  ].join("\n");
}

export const mosquitto: Peer = {
  name: "mosquitto",

  async install(say) {
    if (findProgram("mosquitto") === undefined) await installPackages(["mosquitto"], say);
  },

  async version() {
    // It prints its help with the version in the first line, and calls that a failure.
    const text = await output(findProgram("mosquitto") ?? "mosquitto", ["-h"]).catch(String);
    const version = /mosquitto version (\S+)/.exec(text)?.[1];
    if (version === undefined) throw new Error(text);
    return version;
  },

  systems: [
    {
      name: "mosquitto qos1",
      durable: false,
      acknowledgement:
        "PUBACK says that the broker has the message in memory, which it saves every 30 minutes; each receiver acknowledges each message with PUBACK to the broker",
      server,
    },
  ],
};
