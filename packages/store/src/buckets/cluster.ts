import { epochOf } from "../postgres/epoch.ts";
import { homeName } from "../postgres/placement.ts";
import { StoreError } from "../store-error.ts";
import { noCluster, placementOf } from "./holding.ts";
import { ServerConnection } from "./server-connection.ts";

/** The PostgreSQL servers of one cluster, each over one connection. */
export class Cluster {
  readonly home: ServerConnection;
  readonly servers: ReadonlyMap<string, ServerConnection>;

  /**
   * `urls` of all servers by their names; `home` is one of them. Rejects with `StoreError`: `unreachable`,
   * `unauthorized`, `unsuitable`, `newer_format`, `unfinished`, and `foreign` where one belongs to another cluster.
   */
  static async open(urls: ReadonlyMap<string, string>): Promise<Cluster> {
    const servers = new Map<string, ServerConnection>();
    try {
      for (const [name, url] of urls) servers.set(name, await ServerConnection.open(name, url));
      const home = servers.get(homeName);
      if (home === undefined) throw new StoreError("unsuitable", "There is no home server");
      const epoch = await epochOf(home.client, home.place);
      for (const server of servers.values()) await check(server, epoch);
      return new Cluster(home, servers);
    } catch (error) {
      await closeAll(servers);
      throw error;
    }
  }

  private constructor(home: ServerConnection, servers: ReadonlyMap<string, ServerConnection>) {
    this.home = home;
    this.servers = servers;
  }

  /** Throws where the configuration has no such server. */
  server(name: string): ServerConnection {
    const server = this.servers.get(name);
    if (server === undefined)
      throw new StoreError(
        "unsuitable",
        `There are buckets on the server ${name}, which postgres.servers does not name`,
      );
    return server;
  }

  close(): Promise<void> {
    return closeAll(this.servers);
  }
}

async function check(server: ServerConnection, epoch: string): Promise<void> {
  const { client, place, name } = server;
  const { rows } = await client.query("SELECT to_regclass('hongyan.meta') IS NOT NULL AS is_there");
  if (!rows[0].is_there) throw noCluster(place);
  await epochOf(client, place);
  const placement = await placementOf(client, place);
  if (placement.cluster !== epoch)
    throw new StoreError("foreign", `${place} belongs to another cluster (epoch ${placement.cluster})`);
  if (placement.server !== name)
    throw new StoreError("foreign", `${place} is the server ${placement.server} of the cluster`);
}

async function closeAll(servers: ReadonlyMap<string, ServerConnection>): Promise<void> {
  await Promise.all([...servers.values()].map((server) => server.close()));
}
