/** Which buckets a server holds: what its nodes look at in each transaction that writes. */
import type { ClientBase } from "pg";
import type { Bucket } from "../postgres/bucket.ts";
import { StoreError } from "../store-error.ts";
import { bucketName } from "./bucket-ids.ts";

export interface Placement {
  /** The epoch of the home server. */
  readonly cluster: string;
  /** What the cluster calls this server. */
  readonly server: string;
  readonly held: readonly Bucket[];
  /** Those of `held` that take no writes at the moment. */
  readonly frozen: readonly Bucket[];
}

export async function placementOf(client: ClientBase, place: string): Promise<Placement> {
  const { rows } = await client.query<Placement>(
    "SELECT cluster, server, held, frozen FROM hongyan.placement",
  );
  if (rows[0] === undefined) throw noCluster(place);
  return rows[0];
}

export function noCluster(place: string): StoreError {
  return new StoreError(
    "unsuitable",
    `${place} belongs to no cluster yet: start a node that has it in postgres.servers`,
  );
}

/** What a server that holds a bucket is to do with it: take writes, let them wait, or give it up. */
export type Holding = "open" | "frozen" | "gone";

/**
 * Whoever writes holds a lock on the table until the end of its transaction, prepared ones as well: with ours, all that
 * believed the old placement have ended, and whoever comes after it sees the new one. False: it does not hold the bucket.
 */
export async function place(client: ClientBase, bucket: Bucket, holding: Holding): Promise<boolean> {
  await lock(client);
  const { rowCount } = await client.query(
    `UPDATE hongyan.placement SET version = version + 1,
       held = CASE WHEN $2 = 'gone' THEN array_remove(held, $1) ELSE held END,
       frozen = array_remove(frozen, $1) || CASE WHEN $2 = 'frozen' THEN ARRAY[$1] ELSE '{}' END
     WHERE $1 = ANY (held)`,
    [bucket, holding],
  );
  return rowCount === 1;
}

export async function take(client: ClientBase, bucket: Bucket): Promise<void> {
  await lock(client);
  await client.query(
    "UPDATE hongyan.placement SET version = version + 1, held = array_append(array_remove(held, $1), $1)",
    [bucket],
  );
}

async function lock(client: ClientBase): Promise<void> {
  await client.query("LOCK TABLE hongyan.placement IN ACCESS EXCLUSIVE MODE");
}

/** It stays so while the transaction that asks is open: see `place`. Throws where the bucket is held. */
export async function refuseHeld(
  client: ClientBase,
  bucket: Bucket,
  server: { readonly place: string },
): Promise<void> {
  const { held } = await placementOf(client, server.place);
  if (held.includes(bucket))
    throw new StoreError(
      "occupied",
      `${server.place} holds bucket ${bucketName(bucket)}: another mover was faster`,
    );
}
