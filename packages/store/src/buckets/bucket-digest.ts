import type { ClientBase } from "pg";
import { MismatchError } from "../copy/comparison.ts";
import type { Bucket } from "../postgres/bucket.ts";
import { bucketName } from "./bucket-ids.ts";
import { logOf, type Table, tableOf, tables } from "./rows.ts";

/** Of the rows of a table: how many, and the sum of what is left of their SHA-256. */
interface Digest {
  readonly count: number;
  readonly sum: string;
}

/** All columns of a row as bytes, null told apart from nothing. */
const bytes: Readonly<Record<Table, string>> = {
  logs: "uuid_send(id) || int8send(head) || int8send(trimmed) || int8send(erased) || name",
  entries: `uuid_send(log) || int8send(seq) || int8send(time) || int8send(number)
    || coalesce(uuid_send(producer), '') || coalesce('\\x01' || body, '')`,
  cursors: `uuid_send(log) || int8send(position) || int4send(octet_length(reader)) || reader || reader_digest
    || reader_rest`,
};

interface Side {
  readonly name: string;
  readonly client: ClientBase;
}

/** Compares the rows of some logs, by count and sum. Rejects with `MismatchError`. */
export async function compareRows(
  bucket: Bucket,
  [first, last]: readonly [string, string],
  sides: readonly [Side, Side],
): Promise<void> {
  for (const table of tables) {
    const [one, other] = await Promise.all(
      sides.map(({ client }) => digestOf(client, table, bucket, first, last)),
    );
    if (one?.count === other?.count && one?.sum === other?.sum) continue;
    const text = (digest: Digest | undefined): string => `${digest?.count} with the sum ${digest?.sum}`;
    throw new MismatchError(
      `Bucket ${bucketName(bucket)}, logs ${first} to ${last}: ${table} differ: ${text(one)} on ${sides[0].name}, ${text(other)} on ${sides[1].name}`,
    );
  }
}

async function digestOf(
  client: ClientBase,
  table: Table,
  bucket: Bucket,
  first: string,
  last: string,
): Promise<Digest> {
  const { rows } = await client.query<Digest>(
    `SELECT count(*) AS count,
       coalesce(sum(('x' || encode(substring(sha256(${bytes[table]}) FROM 1 FOR 6), 'hex'))::bit(48)::bigint), 0) AS sum
     FROM ${tableOf(table, bucket)} WHERE ${logOf(table)} BETWEEN $1::uuid AND $2::uuid`,
    [first, last],
  );
  return rows[0] as Digest;
}
