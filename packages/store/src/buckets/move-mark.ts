/**
 * What a move keeps of itself on both servers, from its beginning to its end: a table for each bucket. To make and to
 * drop it are parts of transactions, so that no version of the schema has to know of it.
 */
import type { ClientBase } from "pg";
import type { Bucket } from "../postgres/bucket.ts";
import { StoreError } from "../store-error.ts";
import { bucketName } from "./bucket-ids.ts";

export interface MoveMark {
  /** Of the move; what is found under another id on the other server does not belong to it. */
  readonly move: string;
  /** Who carries it out. */
  readonly mover: string;
  /** On the target: the bucket is there, but for what the source has noted as changed. */
  readonly copied: boolean;
}

export async function markOf(client: ClientBase, bucket: Bucket): Promise<MoveMark | undefined> {
  const { rows: found } = await client.query("SELECT to_regclass($1) IS NOT NULL AS is_there", [
    tableOf(bucket),
  ]);
  if (!found[0].is_there) return undefined;
  const { rows } = await client.query<MoveMark>(`SELECT move, mover, copied FROM ${tableOf(bucket)}`);
  return rows[0];
}

/** Of all moves that a server has a part in. */
export async function markedBuckets(client: ClientBase): Promise<Bucket[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT right(relname, 1) AS name FROM pg_class WHERE relnamespace = 'hongyan'::regnamespace AND relname ~ '^move_.$'",
  );
  return rows.map(({ name }) => Number.parseInt(name, 16));
}

export async function makeMark(
  client: ClientBase,
  bucket: Bucket,
  move: string,
  mover: string,
): Promise<void> {
  await client.query(`CREATE TABLE ${tableOf(bucket)} (move text, mover text, copied boolean)`);
  await client.query(`INSERT INTO ${tableOf(bucket)} VALUES ($1, $2, false)`, [move, mover]);
}

/** From now on nothing takes effect of what another mover, that may still run, does to this server. */
export async function takeOver(client: ClientBase, bucket: Bucket, mover: string): Promise<void> {
  await client.query(`UPDATE ${tableOf(bucket)} SET mover = $1`, [mover]);
}

/** It stays so while the transaction that asks is open: movers come one after another. */
export async function refuseOtherMover(client: ClientBase, bucket: Bucket, mover: string): Promise<void> {
  const isThere = (await markOf(client, bucket)) !== undefined;
  if (isThere) {
    const { rowCount } = await client.query(`SELECT FROM ${tableOf(bucket)} WHERE mover = $1 FOR UPDATE`, [
      mover,
    ]);
    if (rowCount === 1) return;
  }
  throw new StoreError("occupied", `Another mover has taken over bucket ${bucketName(bucket)}`);
}

export async function markCopied(client: ClientBase, bucket: Bucket): Promise<void> {
  await client.query(`UPDATE ${tableOf(bucket)} SET copied = true`);
}

export async function dropMark(client: ClientBase, bucket: Bucket): Promise<void> {
  await client.query(`DROP TABLE IF EXISTS ${tableOf(bucket)}`);
}

function tableOf(bucket: Bucket): string {
  return `hongyan.move_${bucketName(bucket)}`;
}
