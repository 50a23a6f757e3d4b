/** Several nodes as real processes on one PostgreSQL, joined by one NATS, all of their own. */
import { type LaunchedServer, launchServer } from "@hongyan/testkit";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";

/** For the `skip` of tests that need the engines. */
export const enginesMissing: string | false = whyNoPostgres() ?? natsMissing;

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
    const url = await postgres.createDatabase();
    const nodes: LaunchedServer[] = [];
    for (let n = 0; n < size; n++)
      nodes.push(
        await launchServer({
          like: nodes[0],
          host,
          // Several of them on a machine that may have other work.
          startTimeoutMs: 60_000,
          settings: {
            node: `n${n}`,
            postgres: { url },
            nats: { url: [nats.url] },
            repairEveryMs: 2000,
            ...settings,
          },
        }),
      );
    return new Cluster(postgres, nats, nodes);
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    await this.nats.stop();
    await this.postgres.stop();
  }
}
