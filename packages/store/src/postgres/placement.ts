/** Which place a database has in a cluster of PostgreSQL servers, and what it holds of the logs. */
import type { ClientBase } from "pg";
import { StoreError } from "../store-error.ts";
import { bucketCount } from "./bucket.ts";
import type { Statement } from "./writer.ts";

/** The server that has all records, and the map of the buckets. */
export const homeName = "home";

export const readPlacement: Statement = {
  name: "placement",
  text: "SELECT version, array_to_json(held)::text, array_to_json(frozen)::text FROM hongyan.placement",
};

/** Makes the database the home of its own data, and answers the servers that it has buckets on. */
export async function beHome(client: ClientBase, place: string, epoch: string): Promise<Set<string>> {
  await client.query(
    `INSERT INTO hongyan.placement (version, cluster, server, held, frozen)
     SELECT 1, $1, $2, ARRAY(SELECT generate_series(0, $3::int - 1)), '{}'
     WHERE NOT EXISTS (SELECT FROM hongyan.placement) ON CONFLICT DO NOTHING`,
    [epoch, homeName, bucketCount],
  );
  // Data that were given another epoch on purpose are still at home.
  await client.query("UPDATE hongyan.placement SET cluster = $1 WHERE server = $2 AND cluster <> $1", [
    epoch,
    homeName,
  ]);
  const { rows } = await client.query("SELECT server FROM hongyan.placement");
  if (rows[0].server !== homeName)
    throw new StoreError(
      "foreign",
      `${place} is the server "${rows[0].server}" of a cluster: postgres.url names the home server, the others are in postgres.servers`,
    );
  await client.query(
    `INSERT INTO hongyan.buckets (bucket, server) SELECT generate_series(0, $1::int - 1), $2
     ON CONFLICT (bucket) DO NOTHING`,
    [bucketCount, homeName],
  );
  const { rows: named } = await client.query(
    "SELECT server AS name FROM hongyan.buckets UNION SELECT moving_to FROM hongyan.buckets WHERE moving_to IS NOT NULL",
  );
  return new Set(named.map(({ name }) => name));
}

/** Throws where buckets are on servers that the configuration does not have. */
export function refuseUnnamed(used: ReadonlySet<string>, known: readonly string[], place: string): void {
  const unnamed = [...used].filter((name) => !known.includes(name));
  if (unnamed.length === 0) return;
  throw new StoreError(
    "unsuitable",
    `By the map in ${place} there are buckets on ${unnamed.map((name) => `"${name}"`).join(", ")}, which postgres.servers does not name`,
  );
}

/** Takes an empty database into the cluster; one that is in it already must be what it was. */
export async function join(
  client: ClientBase,
  place: string,
  { cluster, name }: { readonly cluster: string; readonly name: string },
): Promise<void> {
  const { rows: settings } = await client.query("SHOW max_prepared_transactions");
  if (settings[0].max_prepared_transactions === "0")
    throw new StoreError(
      "unsuitable",
      `${place} has max_prepared_transactions = 0: commits over several servers need it, four for each node and some to spare (64)`,
    );
  await client.query(
    `INSERT INTO hongyan.placement (version, cluster, server, held, frozen)
     SELECT 1, $1, $2, '{}', '{}'
     WHERE NOT EXISTS (SELECT FROM hongyan.placement) AND NOT EXISTS (SELECT FROM hongyan.logs)
       AND NOT EXISTS (SELECT FROM hongyan.records)
     ON CONFLICT DO NOTHING`,
    [cluster, name],
  );
  const { rows } = await client.query("SELECT cluster, server FROM hongyan.placement");
  const [found] = rows;
  if (found === undefined)
    throw new StoreError("foreign", `${place} has data of its own: a server that joins must be empty`);
  if (found.server === homeName)
    throw new StoreError(
      "foreign",
      `${place} is the home of a cluster: it cannot be its server "${name}" as well`,
    );
  if (found.cluster !== cluster)
    throw new StoreError("foreign", `${place} belongs to another cluster (epoch ${found.cluster})`);
  if (found.server !== name)
    throw new StoreError(
      "foreign",
      `${place} is the server "${found.server}" of the cluster, and not "${name}"`,
    );
}
