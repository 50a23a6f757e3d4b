import { writeFileSync } from "node:fs";
import { Folder } from "../../process/folder.ts";
import type { PeerEndpoint } from "../peer-client.ts";
import { Daemon } from "../server/daemon.ts";
import { freePort } from "../server/port.ts";
import { findProgram, installPackages, output } from "../server/program.ts";
import type { Peer, PeerServer } from "./system.ts";

class Mosquitto implements PeerServer {
  readonly #folder = new Folder("mosquitto");
  #daemon: Daemon | undefined;
  #port = 0;

  get endpoint(): PeerEndpoint {
    return { protocol: "mqtt", port: this.#port };
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.#daemon ??= await this.#prepare();
    await this.#daemon.start();
  }

  async kill(): Promise<void> {
    await this.#daemon?.kill();
  }

  async remove(): Promise<void> {
    await this.kill();
    this.#folder.remove();
  }

  async #prepare(): Promise<Daemon> {
    this.#port = await freePort();
    const folder = this.#folder.path;
    const config = this.#folder.file("mosquitto.conf");
    writeFileSync(
      config,
      [
        `listener ${this.#port} 127.0.0.1`,
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
      ].join("\n"),
    );
    const file = findProgram("mosquitto") ?? "mosquitto";
    return new Daemon({ file, args: ["-c", config], folder, port: this.#port });
  }
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
      server: () => new Mosquitto(),
    },
  ],
};
