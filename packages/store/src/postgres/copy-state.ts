/**
 * A copy that is not complete must not be served. While one is made there is a table that says so: to make it and to
 * drop it are parts of transactions, and no version of the schema has to know of it.
 */
import type { ClientBase } from "pg";
import { StoreError } from "../store-error.ts";
import { hasAny } from "./copy-statements.ts";
import { orderedName, prefixEnd } from "./ordered-name.ts";
import { refuseSpread } from "./placement.ts";

/** `empty`: nothing is there. `unfinished`: a copy of the same data was begun. `finished`: they are there, in service. */
export type CopyState = "empty" | "unfinished" | "finished";

/**
 * What the database is to the data of `epoch`. Rejects with `occupied` where it holds other data, and with `unsuitable`
 * where it is empty and one of several servers: there is no place for all of the data.
 */
export async function stateOf(client: ClientBase, place: string, epoch: string): Promise<CopyState> {
  if (!(await isThere(client, "meta"))) return "empty";
  const unfinished = await unfinishedEpoch(client);
  if (unfinished === epoch) return "unfinished";
  if (unfinished !== undefined)
    throw new StoreError(
      "occupied",
      `${place} holds an unfinished copy of other data (epoch ${unfinished}): name an empty database`,
    );
  const { rows } = await client.query("SELECT epoch FROM hongyan.meta");
  if (rows[0]?.epoch === epoch) return "finished";
  if (await holds(client, ""))
    throw new StoreError(
      "occupied",
      `${place} holds other data (epoch ${rows[0]?.epoch}): name an empty database`,
    );
  if (await isThere(client, "placement")) await refuseSpread(client, place);
  return "empty";
}

/** Whether there is anything whose log or key begins with `prefix`. */
export async function holds(client: ClientBase, prefix: string): Promise<boolean> {
  const values = [Buffer.from(prefix), prefixEnd(orderedName(prefix))];
  const { rows } = await client.query<[boolean]>({ ...hasAny, values, rowMode: "array" });
  return rows[0]?.[0] === true;
}

export async function refuseUnfinished(client: ClientBase, place: string): Promise<void> {
  const epoch = await unfinishedEpoch(client);
  if (epoch !== undefined)
    throw new StoreError(
      "unfinished",
      `${place} holds a copy that is not complete (epoch ${epoch}): npx hongyan migrate, with the data directory that it comes from, goes on with it`,
    );
}

/** The database must be empty. It has the epoch of what is to come from now on, and is refused by servers. */
export async function beginCopy(client: ClientBase, epoch: string): Promise<void> {
  await client.query("BEGIN");
  await client.query("LOCK TABLE hongyan.meta IN SHARE ROW EXCLUSIVE MODE");
  await client.query("CREATE TABLE hongyan.copy (epoch text NOT NULL, epoch_before text NOT NULL)");
  await client.query("INSERT INTO hongyan.copy SELECT $1, epoch FROM hongyan.meta", [epoch]);
  await client.query("UPDATE hongyan.meta SET epoch = $1", [epoch]);
  await client.query("COMMIT");
}

/** As it was before `beginCopy`; nothing was copied. */
export async function takeBackCopy(client: ClientBase): Promise<void> {
  await client.query("BEGIN");
  await client.query("UPDATE hongyan.meta SET epoch = (SELECT epoch_before FROM hongyan.copy)");
  await client.query("DROP TABLE hongyan.copy");
  await client.query("COMMIT");
}

/**
 * The copy is complete. What was written before without waiting for the disk is there as well once this commit is:
 * it waits for the log of the database, which is one.
 */
export async function endCopy(client: ClientBase): Promise<void> {
  await client.query("DROP TABLE IF EXISTS hongyan.copy");
}

async function unfinishedEpoch(client: ClientBase): Promise<string | undefined> {
  if (!(await isThere(client, "copy"))) return undefined;
  const { rows } = await client.query("SELECT epoch FROM hongyan.copy");
  return rows[0]?.epoch;
}

async function isThere(client: ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query("SELECT to_regclass($1) IS NOT NULL AS is_there", [`hongyan.${table}`]);
  return rows[0].is_there;
}
