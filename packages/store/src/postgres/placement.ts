/** Which place a database has in a cluster of PostgreSQL servers, and what it holds of the logs. */
import type { ClientBase } from "pg";
import { StoreError } from "../store-error.ts";
import { bucketCount } from "./bucket.ts";
import type { Statement, Writer } from "./writer.ts";

/** The server that has all records, and the map of the buckets. */
export const homeName = "home";

export const readPlacement: Statement = {
  name: "placement",
  text: "SELECT version, array_to_json(held)::text, array_to_json(frozen)::text FROM hongyan.placement",
};

/**
 * Makes the database the home of its own data. `others`: the further servers that the configuration names. Throws where
 * it is not the home, and where there are buckets on servers that are not named.
 */
export async function beHome(
  writers: readonly Writer[],
  place: string,
  epoch: string,
  others: readonly string[],
): Promise<void> {
  const { client } = writers[0] as Writer;
  await client.query(
    `INSERT INTO hongyan.placement (version, cluster, server, held, frozen)
     SELECT ${aloneVersion}, $1, $2, ARRAY(SELECT generate_series(0, $3::int - 1)), '{}'
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
  await refuseUnnamed(client, place, others);
  if (others.length === 0) await refuseOthers(client, place);
  else await endLoners(client, writers);
}

/** Of a home that never had others: it rises for ever when the first one joins. */
const aloneVersion = 1;

/** A node that believes to be over one server alone looks at no placement: it must not write where there are several. */
export async function refuseOthers(client: ClientBase, place: string): Promise<void> {
  const { rows } = await client.query("SELECT version FROM hongyan.placement");
  if (Number(rows[0].version) === aloneVersion) return;
  throw new StoreError(
    "unsuitable",
    `${place} is one of several servers: name the others in postgres.servers, on every node`,
  );
}

/** Nodes that do not know of other servers are told so when they connect anew. */
async function endLoners(client: ClientBase, ours: readonly Writer[]): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE hongyan.placement SET version = ${aloneVersion + 1} WHERE version = ${aloneVersion}`,
  );
  if (rowCount === 0) return;
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'hongyan' AND pid <> ALL ($1)`,
    [ours.map(({ backend }) => backend.pid)],
  );
}

/** For what goes to one database alone, and needs all of the data. */
export async function refuseSpread(client: ClientBase, place: string): Promise<void> {
  const { rows } = await client.query(
    "SELECT server, cardinality(held) AS held FROM hongyan.placement WHERE server <> $1 OR cardinality(held) < $2",
    [homeName, bucketCount],
  );
  if (rows.length > 0)
    throw new StoreError(
      "unsuitable",
      `${place} does not have all of the data (${rows[0].held} of ${bucketCount} buckets): this can be done where all are on the home server`,
    );
}

async function refuseUnnamed(client: ClientBase, place: string, others: readonly string[]): Promise<void> {
  const { rows } = await client.query(
    `SELECT server AS name FROM hongyan.buckets
     UNION SELECT moving_to FROM hongyan.buckets WHERE moving_to IS NOT NULL ORDER BY name`,
  );
  const unnamed = rows
    .map(({ name }) => String(name))
    .filter((name) => ![homeName, ...others].includes(name));
  if (unnamed.length === 0) return;
  const names = unnamed.map((name) => `"${name}"`).join(", ");
  throw new StoreError(
    "unsuitable",
    `By the map in ${place} there are buckets on ${names}: postgres.servers must name where that is`,
  );
}

/** Takes an empty database into the cluster; one that is in it already must be what it was. */
export async function join(
  { client }: Writer,
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
