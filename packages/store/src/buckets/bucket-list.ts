import type { Bucket } from "../postgres/bucket.ts";
import { StoreError } from "../store-error.ts";
import { bucketName } from "./bucket-ids.ts";
import { Cluster } from "./cluster.ts";
import { type Placement, placementOf } from "./holding.ts";
import { type MappedBucket, readMap } from "./home-map.ts";
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

/** All buckets, in order. Rejects with `StoreError`. */
export async function listBuckets(urls: ReadonlyMap<string, string>): Promise<ListedBucket[]> {
  const cluster = await Cluster.open(urls);
  try {
    const map = await readMap(cluster.home);
    for (const { server } of map) cluster.server(server);
    const buckets = map.map(({ bucket }) => bucket);
    const stocks = await Promise.all([...cluster.servers.values()].map((server) => stockOf(server, buckets)));
    return map.map((mapped) => list(mapped, stocks));
  } finally {
    await cluster.close();
  }
}

function list(mapped: MappedBucket, stocks: readonly Stock[]): ListedBucket {
  const { bucket, server, movingTo } = mapped;
  const holders = stocks.filter(({ placement }) => placement.held.includes(bucket));
  if (holders.length > 1)
    throw new StoreError(
      "unsuitable",
      `Bucket ${bucketName(bucket)} is held by ${holders.map(({ name }) => name).join(" and ")}`,
    );
  const [holder] = holders;
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
