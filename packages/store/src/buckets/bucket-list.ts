import { setTimeout as delay } from "node:timers/promises";
import type { Bucket } from "../postgres/bucket.ts";
import { type MappedBucket, misplaced } from "../postgres/misplaced.ts";
import { StoreError } from "../store-error.ts";
import { Cluster } from "./cluster.ts";
import { type Placement, placementOf } from "./holding.ts";
import { readMap } from "./home-map.ts";
import { markedBuckets } from "./move-mark.ts";
import { partitions, tableOf } from "./rows.ts";
import type { ServerConnection } from "./server-connection.ts";

/** `serving`: writes are taken. `frozen`: they wait. `between`: no server holds it; its move is to be finished. */
export type BucketState = "serving" | "frozen" | "between";

export interface ListedBucket extends MappedBucket {
  readonly state: BucketState;
  /** Entries and positions as PostgreSQL counts them, about. */
  readonly rows: number;
  readonly bytes: number;
  /** Servers that still have rows of it, which it has left. */
  readonly leftOn: readonly string[];
}

/** What a server has. */
interface Stock {
  readonly name: string;
  readonly placement: Placement;
  /** Those that a move has a hand in. */
  readonly marked: readonly Bucket[];
  readonly sizes: ReadonlyMap<Bucket, { readonly rows: number; readonly bytes: number }>;
}

/** What does not fit together is looked at again: a move may just be switched. */
const looksMax = 3;
const retryMs = 300;

/** All buckets, in order. Rejects with `StoreError`. */
export async function listBuckets(urls: ReadonlyMap<string, string>): Promise<ListedBucket[]> {
  const cluster = await Cluster.open(urls);
  try {
    for (let looks = 1; ; looks++) {
      const map = await readMap(cluster.home);
      for (const { server } of map) cluster.server(server);
      const buckets = map.map(({ bucket }) => bucket);
      const stocks = await Promise.all(
        [...cluster.servers.values()].map((server) => stockOf(server, buckets)),
      );
      const faults = map.map((mapped) => misplaced(mapped, holdersOf(mapped.bucket, stocks)));
      const fault = faults.find((one) => one !== undefined);
      if (fault === undefined) return map.map((mapped) => list(mapped, stocks));
      if (looks === looksMax) throw new StoreError("unsuitable", fault);
      await delay(retryMs);
    }
  } finally {
    await cluster.close();
  }
}

function holdersOf(bucket: Bucket, stocks: readonly Stock[]): string[] {
  return stocks.filter(({ placement }) => placement.held.includes(bucket)).map(({ name }) => name);
}

function list(mapped: MappedBucket, stocks: readonly Stock[]): ListedBucket {
  const { bucket, server, movingTo } = mapped;
  const holder = stocks.find(({ placement }) => placement.held.includes(bucket));
  const leftOn = stocks
    .filter(({ name, marked }) => marked.includes(bucket) && name !== server && name !== movingTo)
    .map(({ name }) => name);
  const isFrozen = holder?.placement.frozen.includes(bucket);
  const state = holder === undefined ? "between" : isFrozen ? "frozen" : "serving";
  const stock = holder ?? stocks.find(({ name }) => name === server);
  return { ...mapped, state, leftOn, ...(stock?.sizes.get(bucket) ?? { rows: 0, bytes: 0 }) };
}

function stockOf(server: ServerConnection, buckets: readonly Bucket[]): Promise<Stock> {
  return server.transaction(async (client) => {
    const { rows } = await client.query<{ bucket: number; rows: number; bytes: number }>(
      `SELECT bucket, sum(greatest(reltuples, 0, pg_stat_get_live_tuples(oid)))::float8 AS rows,
         sum(pg_total_relation_size(oid))::float8 AS bytes
       FROM unnest($1::int[], $2::text[]) AS part (bucket, name) JOIN pg_class ON oid = name::regclass GROUP BY bucket`,
      [
        partitions.flatMap(() => buckets),
        partitions.flatMap((table) => buckets.map((bucket) => tableOf(table, bucket))),
      ],
    );
    return {
      name: server.name,
      placement: await placementOf(client, server.place),
      marked: await markedBuckets(client),
      sizes: new Map(rows.map(({ bucket, ...size }) => [bucket, size])),
    };
  });
}
