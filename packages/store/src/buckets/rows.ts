/** Where the rows of a bucket lie, and how they are put in again as they are. */
import type { Bucket } from "../postgres/bucket.ts";
import { bucketName, idsOf } from "./bucket-ids.ts";

/** Logs before entries before cursors, as whoever writes takes their locks. */
export const tables = ["logs", "entries", "cursors"] as const;
export type Table = (typeof tables)[number];
/** Those of which each bucket has a partition. */
export const partitions = ["entries", "cursors"] as const satisfies readonly Table[];

/** The key first. */
const columns: Readonly<
  Record<Table, { readonly key: readonly string[]; readonly rest: readonly string[] }>
> = {
  logs: { key: ["id"], rest: ["name", "head", "trimmed", "erased"] },
  entries: { key: ["log", "seq"], rest: ["time", "number", "producer", "body"] },
  cursors: { key: ["log", "reader", "reader_digest"], rest: ["reader_rest", "position"] },
};

export function keyOf(table: Table): readonly string[] {
  return columns[table].key;
}

/** Of logs there is one table; of the others each bucket has a partition. */
export function tableOf(table: Table, bucket: Bucket): string {
  return table === "logs" ? "hongyan.logs" : `hongyan.${table}_${bucketName(bucket)}`;
}

/** The column that says which log, and with that which bucket, a row is of. */
export function logOf(table: Table): string {
  return columns[table].key[0] as string;
}

export function columnsOf(table: Table): string {
  const { key, rest } = columns[table];
  return [...key, ...rest].join(", ");
}

/** The query of all rows. A partition is read as it lies on the disk. */
export function allRows(table: Table, bucket: Bucket): string {
  const [first, last] = idsOf(bucket);
  const where = table === "logs" ? `WHERE id BETWEEN '${first}' AND '${last}'` : "";
  return `SELECT ${columnsOf(table)} FROM ${tableOf(table, bucket)} ${where}`;
}

/** The statement that puts the rows of another table in: what is there becomes as it is in that one. */
export function merge(table: Table, bucket: Bucket, from: string): string {
  const { key, rest } = columns[table];
  return `INSERT INTO ${tableOf(table, bucket)} (${columnsOf(table)}) SELECT ${columnsOf(table)} FROM ${from}
    ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${rest.map((column) => `${column} = excluded.${column}`).join(", ")}`;
}
