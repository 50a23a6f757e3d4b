import type { ClientBase } from "pg";
import { StoreError } from "../store-error.ts";
import { refuseUnfinished } from "./copy-state.ts";
import { newerSchema } from "./migrate.ts";
import { schemaVersion } from "./schema.ts";

/** Of data that this version reads as they are; others are refused: `unsuitable`, `newer_format`, `unfinished`. */
export async function epochOf(client: ClientBase, place: string): Promise<string> {
  const { rows: found } = await client.query("SELECT to_regclass('hongyan.meta') IS NOT NULL AS is_there");
  if (!found[0].is_there) throw new StoreError("unsuitable", `${place} holds no data of Hongyan`);
  await refuseUnfinished(client, place);
  const { rows } = await client.query("SELECT version, epoch FROM hongyan.meta");
  const { version, epoch } = rows[0] as { version: number; epoch: string };
  if (version > schemaVersion) throw newerSchema(place, version);
  if (version < schemaVersion)
    throw new StoreError(
      "unsuitable",
      `${place} is of an older version: start a server of this version on it once`,
    );
  return epoch;
}

/**
 * Makes other data of these: no node that knows them goes on with them, and clients begin anew. Nodes that are connected
 * are made to look. Does nothing where that has happened since they were of the epoch `old`.
 */
export async function renounce(client: ClientBase, old: string, epoch: string): Promise<void> {
  await client.query("BEGIN");
  const { rowCount } = await client.query("UPDATE hongyan.meta SET epoch = $1 WHERE epoch = $2", [
    epoch,
    old,
  ]);
  await client.query("UPDATE hongyan.placement SET cluster = $1 WHERE $2", [epoch, rowCount === 1]);
  await client.query("COMMIT");
  if (rowCount === 0) return;
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'hongyan' AND pid <> pg_backend_pid()`,
  );
}
