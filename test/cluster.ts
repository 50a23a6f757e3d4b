/** Several nodes as real processes on one PostgreSQL, joined by one NATS, all of their own. */
import { type LaunchedServer, launchServer } from "@hongyan/testkit";
import { freePorts } from "@hongyan/testkit/free-port";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import type { Address } from "./doors.ts";

const startMsMax = 60_000;

/** For the `skip` of tests that need the engines. */
export const enginesMissing: string | false = whyNoPostgres() ?? natsMissing;

/** Where a client goes. */
export interface Place extends Address {
  token(user: string): string;
}

/** Where a node is told that its databases are. */
export interface NamedDatabases {
  readonly url: string;
  /** By name, beside `url`. */
  readonly servers: Readonly<Record<string, string>>;
}

export class Cluster {
  readonly postgres: PostgresServer;
  readonly nats: NatsServer;
  readonly databases: NamedDatabases;
  readonly nodes: readonly LaunchedServer[];

  private constructor(
    postgres: PostgresServer,
    databases: NamedDatabases,
    nats: NatsServer,
    nodes: readonly LaunchedServer[],
  ) {
    this.postgres = postgres;
    this.databases = databases;
    this.nats = nats;
    this.nodes = nodes;
  }

  /** `host`: where the nodes listen. `servers`: further databases, over which the logs are spread as well. */
  static async start(
    size: number,
    settings: Readonly<Record<string, unknown>> = {},
    host = "127.0.0.1",
    servers: readonly string[] = [],
  ): Promise<Cluster> {
    const postgres = await startPostgres({ settings: { max_prepared_transactions: "50" } });
    const url = await postgres.createDatabase();
    const further: Record<string, string> = {};
    for (const name of servers) further[name] = await postgres.createDatabase();
    const nats = await NatsServer.start();
    const nodes: LaunchedServer[] = [];
    const cluster = new Cluster(postgres, { url, servers: further }, nats, nodes);
    try {
      for (let n = 0; n < size; n++) {
        const [http = 0, tcp = 0] = await freePorts(2);
        nodes.push(
          await launchServer({
            like: nodes[0],
            host,
            ports: [http, tcp],
            startTimeoutMs: startMsMax,
            settings: {
              node: `n${n}`,
              advertise: `http://${host}:${http}`,
              postgres: { url, servers: further },
              nats: { url: [nats.url] },
              repairEveryMs: 2000,
              ...settings,
            },
          }),
        );
        if (n === 0) await spread(postgres, { home: url, ...further });
      }
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Behind a balancer that knows nothing: every request, and every connection, goes to any node. */
  get anywhere(): Place {
    const any = () => this.nodes[Math.floor(Math.random() * this.nodes.length)] as LaunchedServer;
    return {
      get httpUrl() {
        return any().httpUrl;
      },
      get wsUrl() {
        return any().wsUrl;
      },
      get tcpPort() {
        return any().tcpPort;
      },
      token: (user) => any().token(user),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    await this.nats.stop();
    await this.postgres.stop();
  }
}

/** Places the buckets of a cluster that has no logs yet, in turns. */
async function spread(postgres: PostgresServer, urls: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.keys(urls);
  if (names.length === 1) return;
  for (const [nth, [name, url]] of Object.entries(urls).entries()) {
    const held = Array.from({ length: 16 }, (_, bucket) => bucket).filter(
      (bucket) => bucket % names.length === nth,
    );
    const database = (of: string) => new URL(of).pathname.slice(1);
    const placed = await postgres.sql(
      `UPDATE hongyan.placement SET version = version + 1, held = '{${held}}'
       WHERE NOT EXISTS (SELECT FROM hongyan.logs) RETURNING server`,
      database(url),
    );
    if (placed.trim() !== name) throw new Error(`the buckets of ${name} cannot be placed`);
    await postgres.sql(
      `UPDATE hongyan.buckets SET server = '${name}' WHERE bucket = ANY ('{${held}}')`,
      database(urls.home as string),
    );
  }
}
