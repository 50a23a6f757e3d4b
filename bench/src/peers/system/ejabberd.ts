import { existsSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { findProgram, installPackages } from "@hongyan/testkit/debian";
import { roomHost, xmppHost, xmppPassword } from "../client/xmpp.ts";
import { DaemonServer } from "../server/daemon-server.ts";
import { makeAccounts } from "../server/xmpp-accounts.ts";
import type { Peer, Setup } from "./system.ts";

const schema = "/usr/share/ejabberd/sql/lite.sql";

function library(): string | undefined {
  return globSync("/usr/lib/*/ejabberd-*")[0];
}

function hasSqlite(): boolean {
  return (
    globSync("/usr/lib/{*,erlang/lib}/p1_sqlite3-*").length + globSync("/usr/lib/*/sqlite3-*").length > 0
  );
}

function server({ users }: Setup): DaemonServer {
  return new DaemonServer({
    name: "ejabberd",
    endpoint: (port) => ({ protocol: "xmpp", port }),
    async prepare(port, folder) {
      const database = folder.file("ejabberd.db");
      makeAccounts(database, schema, users, xmppPassword);
      const config = folder.file("ejabberd.yml");
      writeFileSync(config, configuration(port, database));
      mkdirSync(folder.file("mnesia"));
      const args = [
        "-noinput",
        ...["+K", "true", "+P", "1000000"],
        ...["-mnesia", "dir", JSON.stringify(folder.file("mnesia"))],
        ...["-s", "ejabberd"],
      ];
      const env = {
        HOME: folder.path,
        ERL_LIBS: dirname(library() ?? ""),
        ERL_MAX_PORTS: "65536",
        EJABBERD_CONFIG_PATH: config,
        EJABBERD_LOG_PATH: folder.file("ejabberd.log"),
      };
      // Without a node name: Erlang then starts no name server, which would stay for ever.
      return { file: findProgram("erl") ?? "erl", args, env };
    },
  });
}

/** What is off by default and needed here, and no bound that the scenarios reach. JSON is YAML. */
function configuration(port: number, database: string): string {
  return JSON.stringify(
    {
      hosts: [xmppHost],
      loglevel: "error",
      listen: [{ port, ip: "127.0.0.1", module: "ejabberd_c2s", backlog: 4096, shaper: "none" }],
      auth_method: ["sql"],
      sql_type: "sqlite",
      sql_database: database,
      // It kills who has so many stanzas waiting.
      max_fsm_queue: 1_000_000,
      // A number would make it count what is stored before each message.
      shaper_rules: { offline_max: "infinity" },
      modules: {
        mod_mam: { default: "always", db_type: "sql" },
        mod_offline: { db_type: "sql", access_max_user_messages: "offline_max" },
        // A connection that is busy with the archive for a minute would take its client for gone.
        mod_stream_mgmt: { max_ack_queue: "infinity", ack_timeout: "1 hour", resume_timeout: 0 },
        mod_muc: {
          host: roomHost,
          max_users: 5000,
          max_user_conferences: 10_000,
          history_size: 0,
          // Everybody's coming told to everybody is a million stanzas, and not what is measured.
          default_room_options: { mam: true, max_users: 5000, presence_broadcast: [] },
        },
      },
    },
    undefined,
    2,
  );
}

export const ejabberd: Peer = {
  name: "ejabberd",

  async install(say) {
    if (library() === undefined || !existsSync(schema) || !hasSqlite())
      await installPackages(["ejabberd", "erlang-p1-sqlite3"], say);
  },

  async version() {
    const folder = library();
    if (folder === undefined) throw new Error("no ejabberd in /usr/lib");
    return folder.slice(folder.lastIndexOf("ejabberd-") + "ejabberd-".length);
  },

  systems: [
    {
      name: "ejabberd",
      durable: true,
      acknowledgement:
        "stream management's <a/> says that the server has handled the stanza, whose archive (SQLite) it writes first; in a group the room's own copy says so; each receiver acknowledges to the server by stream management, which the server asks for",
      server,
    },
  ],
};
