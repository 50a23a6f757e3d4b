import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { streams } from "../client/nats.ts";
import { DaemonServer } from "../server/daemon-server.ts";
import { canSynchronise, installNats, natsProgram, natsVersion } from "../server/nats-program.ts";
import type { Peer } from "./system.ts";

type Mode = "core" | "jetstream" | "jetstream fsync";

const requestMsMax = 10_000;

function server(mode: Mode): DaemonServer {
  return new DaemonServer({
    name: "nats",
    endpoint: (port) => ({ protocol: "nats", port, mode: mode === "core" ? "core" : "jetstream" }),
    async prepare(port, folder) {
      const config = folder.file("nats.conf");
      writeFileSync(config, configuration(mode, port, folder.file("store")));
      return { file: natsProgram() ?? "nats-server", args: ["-c", config] };
    },
    furnish: async (port) => {
      if (mode !== "core") await createStreams(port);
    },
  });
}

function configuration(mode: Mode, port: number, store: string): string {
  const options = mode === "jetstream fsync" ? ", sync_interval: always" : "";
  const stream = mode === "core" ? "" : `jetstream { store_dir: ${JSON.stringify(store)}${options} }`;
  return [`listen: "127.0.0.1:${port}"`, "max_connections: 100000", stream, ""].join("\n");
}

/** Asks JetStream for the streams, by hand. */
function createStreams(port: number): Promise<void> {
  const requests = streams.map((stream) => {
    const request = JSON.stringify({
      ...stream,
      storage: "file",
      retention: "limits",
      max_consumers: -1,
      num_replicas: 1,
    });
    return `PUB $JS.API.STREAM.CREATE.${stream.name} _INBOX.a ${Buffer.byteLength(request)}\r\n${request}\r\n`;
  });
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => done(new Error("JetStream did not answer")), requestMsMax);
    const done = (error?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    let answer = "";
    socket.on("error", done);
    socket.on("data", (bytes) => {
      answer += bytes.toString();
      const replies = [...answer.matchAll(/\r\nMSG .*\r\n(.*)(?=\r\n)/g)].map(([, reply]) => reply as string);
      const refusal = replies.find((reply) => reply.includes('"error":'));
      if (refusal !== undefined) done(new Error(refusal));
      else if (replies.length === requests.length) done();
    });
    socket.write(`CONNECT {"verbose":false}\r\nSUB _INBOX.a 1\r\n${requests.join("")}`);
  });
}

const consumer =
  "each receiver acknowledges each message with +ACK to its consumer in the server, which does not wait for the disk";

export const nats: Peer = {
  name: "nats",
  install: installNats,
  version: natsVersion,
  systems: [
    {
      name: "nats core",
      durable: false,
      acknowledgement:
        "nobody acknowledges anything: a message is in flight until the load itself has seen it arrive",
      without: { backlog: "keeps nothing for who is away" },
      server: () => server("core"),
    },
    {
      name: "nats jetstream",
      durable: false,
      acknowledgement: `the stream acknowledges once it has given the message to the operating system, which it synchronises every 2 minutes; ${consumer}`,
      server: () => server("jetstream"),
    },
    {
      name: "nats jetstream fsync",
      durable: true,
      acknowledgement: `the stream acknowledges once the message is on disk (sync_interval: always); ${consumer}`,
      async missing() {
        const version = await natsVersion();
        return canSynchronise(version)
          ? undefined
          : `missing: nats-server ${version} has no sync_interval (2.10 has)`;
      },
      without: { idle: "holds connections as nats jetstream does" },
      server: () => server("jetstream fsync"),
    },
  ],
};
