import { PlacedStore, type PlacedStoreOptions } from "@hongyan/store/postgres";
import type { PostgresServer } from "@hongyan/testkit/postgres";
import { query } from "./databases.ts";

/** Databases that are the servers of a cluster: `home`, and those of `names`, among which the buckets are spread. */
export class PlacedDatabases {
  readonly home: string;
  readonly servers: ReadonlyMap<string, string>;

  static async make(
    server: PostgresServer,
    names: readonly string[] = ["east", "west"],
  ): Promise<PlacedDatabases> {
    const make = () => server.createDatabase("STRATEGY file_copy");
    const home = await make();
    const servers = new Map<string, string>();
    for (const name of names) servers.set(name, await make());
    const databases = new PlacedDatabases(home, servers);
    await (await databases.open()).close();
    await databases.spread();
    return databases;
  }

  private constructor(home: string, servers: ReadonlyMap<string, string>) {
    this.home = home;
    this.servers = servers;
  }

  open(options: Partial<PlacedStoreOptions> = {}): Promise<PlacedStore> {
    return PlacedStore.open({ url: this.home, servers: this.servers, ...options });
  }

  url(name: string): string {
    return name === "home" ? this.home : (this.servers.get(name) as string);
  }

  get names(): string[] {
    return ["home", ...this.servers.keys()];
  }

  /** Where the bucket is: they go round. */
  nameOf(bucket: number): string {
    return this.names[bucket % this.names.length] as string;
  }

  /** Puts the buckets of empty databases where they belong. */
  async spread(): Promise<void> {
    const buckets = Array.from({ length: 16 }, (_, bucket) => bucket);
    for (const name of this.names) {
      const held = buckets.filter((bucket) => this.nameOf(bucket) === name);
      await query(
        this.url(name),
        `UPDATE hongyan.placement SET version = version + 1, held = '{${held}}', frozen = '{}'`,
      );
      await query(
        this.home,
        `UPDATE hongyan.buckets SET server = '${name}' WHERE bucket = ANY ('{${held}}')`,
      );
    }
  }

  /** Makes them look new. */
  async empty(): Promise<void> {
    const [row] = await query(
      this.home,
      "DELETE FROM hongyan.records; DELETE FROM hongyan.decisions; UPDATE hongyan.meta SET epoch = gen_random_uuid() RETURNING epoch",
    );
    await Promise.all(
      this.names.map((name) =>
        query(
          this.url(name),
          `DELETE FROM hongyan.logs; DELETE FROM hongyan.entries; DELETE FROM hongyan.cursors;
         UPDATE hongyan.placement SET cluster = '${row?.epoch}'`,
        ),
      ),
    );
  }
}
