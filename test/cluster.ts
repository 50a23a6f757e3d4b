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

export class Cluster {
  readonly postgres: PostgresServer;
  readonly nats: NatsServer;
  readonly nodes: readonly LaunchedServer[];

  private constructor(postgres: PostgresServer, nats: NatsServer, nodes: readonly LaunchedServer[]) {
    this.postgres = postgres;
    this.nats = nats;
    this.nodes = nodes;
  }

  /** `host`: where the nodes listen. */
  static async start(
    size: number,
    settings: Readonly<Record<string, unknown>> = {},
    host = "127.0.0.1",
  ): Promise<Cluster> {
    const postgres = await startPostgres();
    const nats = await NatsServer.start();
    const nodes: LaunchedServer[] = [];
    const cluster = new Cluster(postgres, nats, nodes);
    try {
      const url = await postgres.createDatabase();
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
              postgres: { url },
              nats: { url: [nats.url] },
              repairEveryMs: 2000,
              ...settings,
            },
          }),
        );
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
