/** What a replay plays against: one server on its own store, or several on PostgreSQL and NATS of their own. */
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "@hongyan/testkit/free-port";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { Server } from "../process/server.ts";
import { UsageError } from "../usage.ts";

/** A node that finds no database or no NATS does not start; it is tried again for so long. */
const startMsMax = 60_000;

interface Engines {
  readonly postgres: PostgresServer;
  readonly nats: NatsServer;
}

export class Nodes {
  /** All with the same keys: a token of the first is good at any. */
  readonly servers: readonly [Server, ...Server[]];
  readonly #engines: Engines | undefined;
  #postgresBack = Promise.resolve();

  private constructor(servers: readonly [Server, ...Server[]], engines: Engines | undefined) {
    this.servers = servers;
    this.#engines = engines;
  }

  /** `count` 1: one server on the embedded store. Throws `UsageError` where the engines cannot be had. */
  static async start(count: number): Promise<Nodes> {
    if (count === 1) return Nodes.#started(new Nodes([new Server()], undefined));
    const missing = whyNoPostgres() ?? (natsMissing || undefined);
    if (missing !== undefined) throw new UsageError(`--nodes: ${missing}`);
    const engines = { postgres: await startPostgres(), nats: await NatsServer.start() };
    const url = await engines.postgres.createDatabase();
    const first = await node(0, url, engines.nats.url, undefined);
    const others: Server[] = [];
    for (let n = 1; n < count; n++) others.push(await node(n, url, engines.nats.url, first));
    return Nodes.#started(new Nodes([first, ...others], engines));
  }

  static async #started(nodes: Nodes): Promise<Nodes> {
    try {
      for (const server of nodes.servers) await server.start();
      return nodes;
    } catch (error) {
      await nodes.remove();
      throw error;
    }
  }

  /** Kills one with SIGKILL; resolves when it listens again. */
  async bounce(at: number): Promise<void> {
    const server = this.servers[at % this.servers.length] as Server;
    await server.kill();
    for (const endMs = performance.now() + startMsMax; ; ) {
      try {
        await server.start();
        return;
      } catch (error) {
        if (this.#engines === undefined || performance.now() > endMs) throw error;
        await sleep(200);
      }
    }
  }

  /** PostgreSQL ends as in a crash, and starts again; first, where it does so already, it comes back. */
  crashPostgres(): Promise<void> {
    this.#postgresBack = this.#postgresBack.then(() => this.#engines?.postgres.restart("immediate"));
    return this.#postgresBack;
  }

  /** NATS is away for a while. */
  async cutNats(ms: number): Promise<void> {
    await this.#engines?.nats.kill();
    await sleep(ms);
    await this.#engines?.nats.start();
  }

  async remove(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.remove()));
    await this.#engines?.nats.stop();
    await this.#engines?.postgres.stop();
  }
}

async function node(n: number, url: string, natsUrl: string, like: Server | undefined): Promise<Server> {
  const [port = 0, tcpPort = 0] = await freePorts(2);
  const shared = like && {
    domains: {
      [like.signer.domain]: {
        keys: { [like.signer.keyId]: like.signer.secret },
        apiKeys: { bench: like.apiKey },
      },
    },
  };
  const settings = {
    node: `n${n}`,
    advertise: `http://127.0.0.1:${port}`,
    postgres: { url },
    nats: { url: [natsUrl] },
    ...shared,
  };
  const server = new Server({ settings });
  server.port = port;
  server.tcpPort = tcpPort;
  return server;
}
