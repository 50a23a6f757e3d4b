/** All rows of a bucket on a server: how they come, and how they go. */
import type { ClientBase } from "pg";
import type { Bucket } from "../postgres/bucket.ts";
import { idsOf } from "./bucket-ids.ts";
import { notedRows } from "./changed-rows.ts";
import { passRows } from "./row-stream.ts";
import { allRows, columnsOf, merge, partitions, tableOf, tables } from "./rows.ts";
import type { ServerConnection } from "./server-connection.ts";

export interface Passing {
  readonly from: ServerConnection;
  readonly to: ServerConnection;
  readonly bucket: Bucket;
  readonly signal: AbortSignal;
  readonly passed: (bytes: number) => void;
}

/** Copies everything to where nothing is, within the transactions that are open; answers how many rows. */
export async function passAll({ from, to, bucket, ...options }: Passing): Promise<number> {
  let rows = 0;
  for (const table of tables) {
    const target = `${tableOf(table, bucket)} (${columnsOf(table)})`;
    rows += await passRows(
      { server: from, query: allRows(table, bucket) },
      { server: to, table: target },
      options,
    );
  }
  return rows;
}

/** Copies the rows that the source has noted and taken, within the transactions that are open; `client` is the target's. */
export async function passNoted(
  client: ClientBase,
  { from, to, bucket, ...options }: Passing,
): Promise<void> {
  for (const table of tables) {
    await client.query(
      `CREATE TEMPORARY TABLE coming (LIKE ${tableOf(table, bucket)} INCLUDING STORAGE) ON COMMIT DROP`,
    );
    const target = `coming (${columnsOf(table)})`;
    await passRows({ server: from, query: notedRows(table, bucket) }, { server: to, table: target }, options);
    await client.query(merge(table, bucket, "coming"));
    await client.query("DROP TABLE coming");
  }
}

export async function deleteLogs(client: ClientBase, bucket: Bucket): Promise<void> {
  await client.query("DELETE FROM hongyan.logs WHERE id BETWEEN $1::uuid AND $2::uuid", [...idsOf(bucket)]);
}

export async function emptyPartitions(client: ClientBase, bucket: Bucket): Promise<void> {
  await client.query(`TRUNCATE ${partitions.map((table) => tableOf(table, bucket)).join(", ")}`);
}

const closed = "not_held";

/**
 * The partitions take no rows, from whomever: also a node that does not look at the placement, as it knows of no other
 * server, writes nothing that would be lost. Costs nothing where rows are taken.
 */
export async function closePartitions(client: ClientBase, bucket: Bucket): Promise<void> {
  for (const table of partitions)
    await client.query(
      `ALTER TABLE ${tableOf(table, bucket)} DROP CONSTRAINT IF EXISTS ${closed},
         ADD CONSTRAINT ${closed} CHECK (false) NOT VALID`,
    );
}

export async function openPartitions(client: ClientBase, bucket: Bucket): Promise<void> {
  for (const table of partitions)
    await client.query(`ALTER TABLE ${tableOf(table, bucket)} DROP CONSTRAINT IF EXISTS ${closed}`);
}
