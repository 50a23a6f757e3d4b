import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { findProgram, installPackages } from "@hongyan/testkit/debian";
import { freePorts } from "@hongyan/testkit/free-port";
import { DaemonServer } from "../server/daemon-server.ts";
import type { Peer } from "./system.ts";

/** Not the one in the PATH, which changes to a user of the system. */
const program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const library = "/usr/lib/rabbitmq/lib";

function server(): DaemonServer {
  return new DaemonServer({
    name: "rabbitmq",
    endpoint: (port) => ({ protocol: "amqp", port }),
    async prepare(port, folder) {
      const [epmdPort, distributionPort] = await freePorts(2);
      writeFileSync(
        folder.file("rabbitmq.conf"),
        [
          `listeners.tcp.1 = 127.0.0.1:${port}`,
          "tcp_listen_options.backlog = 4096",
          "tcp_listen_options.nodelay = true",
          // A machine that is busy must not look like clients that do not answer.
          "handshake_timeout = 120000",
          "disk_free_limit.absolute = 50MB",
          "log.console = true",
          "log.console.level = error",
          "",
        ].join("\n"),
      );
      writeFileSync(folder.file("plugins"), "[].\n");
      writeFileSync(folder.file("rabbitmq-env.conf"), "");
      const env = {
        HOME: folder.path,
        RABBITMQ_NODENAME: `bench${port}@localhost`,
        RABBITMQ_CONFIG_FILE: folder.file("rabbitmq.conf"),
        RABBITMQ_CONF_ENV_FILE: folder.file("rabbitmq-env.conf"),
        RABBITMQ_ENABLED_PLUGINS_FILE: folder.file("plugins"),
        RABBITMQ_MNESIA_BASE: folder.file("mnesia"),
        RABBITMQ_LOG_BASE: folder.file("log"),
        RABBITMQ_DIST_PORT: `${distributionPort}`,
        // The script becomes the server, and does not wait for it.
        RUNNING_UNDER_SYSTEMD: "true",
        ERL_EPMD_PORT: `${epmdPort}`,
        ERL_EPMD_ADDRESS: "127.0.0.1",
      };
      // Erlang would start a name server that stays for ever: one of our own belongs to the tree of the server.
      const script = `"${findProgram("epmd") ?? "epmd"}" & exec "${program}"`;
      return { file: "/bin/sh", args: ["-c", script], env };
    },
  });
}

export const rabbitmq: Peer = {
  name: "rabbitmq",

  async install(say) {
    if (!existsSync(program)) await installPackages(["rabbitmq-server"], say);
  },

  async version() {
    const folder = readdirSync(library).find((name) => name.startsWith("rabbitmq_server-"));
    if (folder === undefined) throw new Error(`no server in ${library}`);
    return folder.slice("rabbitmq_server-".length);
  },

  systems: [
    {
      name: "rabbitmq",
      durable: true,
      acknowledgement:
        "the publisher confirm says that the durable queue has the persistent message on disk, or that its consumer has acknowledged it before; each consumer acknowledges what it has with basic.ack to the broker",
      server,
    },
  ],
};
