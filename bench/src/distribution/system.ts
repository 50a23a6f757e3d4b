import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { type PostgresServer, startPostgres } from "@hongyan/testkit/postgres";
import { Server, type ServerOptions } from "../process/server.ts";
import { withServer } from "../scenario/scenario.ts";
import { UsageError } from "../usage.ts";

/** What is measured: so many nodes on one store. */
export interface System {
  readonly name: string;
  /** Runs `work` on fresh nodes without data, and leaves nothing of them behind. */
  with<R>(options: ServerOptions, work: (nodes: Nodes) => Promise<R>): Promise<R>;
}

/** At least one. */
export type Nodes = readonly [Server, ...Server[]];

/** What the others are compared with. */
export const embedded: System = {
  name: "one node, embedded store",
  with: (options, work) => withServer(options, (server) => work([server])),
};

/** PostgreSQL, and NATS where there is more than one node: of our own, on this machine. */
export class Engines {
  readonly postgres: PostgresServer;
  /** Absent where there is one node. */
  readonly nats: NatsServer | undefined;

  static async start(nodeCount: number): Promise<Engines> {
    if (nodeCount > 1 && natsMissing !== false) throw new UsageError(`no NATS: ${natsMissing}`);
    const postgres = await startPostgres({ settings: { shared_buffers: "512MB", max_wal_size: "4GB" } });
    try {
      return new Engines(postgres, nodeCount > 1 ? await NatsServer.start() : undefined);
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  }

  private constructor(postgres: PostgresServer, nats: NatsServer | undefined) {
    this.postgres = postgres;
    this.nats = nats;
  }

  /** Nodes on a database of their own, that nothing is in. */
  system(nodeCount: number): System {
    return {
      name: nodeCount === 1 ? "one node on PostgreSQL" : `${nodeCount} nodes on PostgreSQL and NATS`,
      with: async (options, work) => {
        const url = await this.postgres.createDatabase();
        const nodes = this.#nodes(nodeCount, url, options);
        try {
          // One after the other: the first makes the tables, and a start is not what is measured.
          for (const node of nodes) await node.start();
          const result = await work(nodes);
          await Promise.all(nodes.map((node) => node.stop()));
          return result;
        } finally {
          await Promise.all(nodes.map((node) => node.remove()));
          await this.postgres.dropDatabase(url);
        }
      },
    };
  }

  async stop(): Promise<void> {
    await this.nats?.stop();
    await this.postgres.stop();
  }

  #nodes(count: number, url: string, { settings, ...options }: ServerOptions): Nodes {
    const node = (n: number, like?: Server) =>
      new Server({
        ...options,
        like,
        settings: {
          ...settings,
          node: `n${n}`,
          postgres: { url },
          ...(this.nats !== undefined && { nats: { url: [this.nats.url] } }),
        },
      });
    const first = node(1);
    return [first, ...Array.from({ length: count - 1 }, (_, at) => node(at + 2, first))];
  }
}
