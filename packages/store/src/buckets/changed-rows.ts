/** Which rows of a bucket were written while it is copied: triggers note their keys in a table on its server. */
import type { ClientBase } from "pg";
import type { Bucket } from "../postgres/bucket.ts";
import { bucketName, idsOf } from "./bucket-ids.ts";
import { columnsOf, keyOf, type Table, tableOf, tables } from "./rows.ts";

const note: Readonly<Record<Table, string>> = {
  logs: "(log) VALUES (NEW.id)",
  entries: "(log, seq) VALUES (NEW.log, NEW.seq)",
  cursors: "(log, reader, reader_digest) VALUES (NEW.log, NEW.reader, NEW.reader_digest)",
};

/** Which notes are of rows of a table. */
const isNoted: Readonly<Record<Table, string>> = {
  logs: "held.id = note.log AND note.seq IS NULL AND note.reader IS NULL",
  entries: isSame("entries"),
  cursors: isSame("cursors"),
};

/**
 * All that is written by transactions that see ours is noted. By triggers of rows, and on the partitions: those of
 * statements are not fired by what comes in through the parent. The table has no key, so that writers never wait for
 * each other there.
 */
export async function noteChanges(client: ClientBase, bucket: Bucket): Promise<void> {
  const name = nameOf(bucket);
  await client.query(
    `CREATE TABLE hongyan.${name} (log uuid NOT NULL, seq bigint, reader bytea, reader_digest bytea)`,
  );
  const [first, last] = idsOf(bucket);
  for (const table of tables) {
    await client.query(
      `CREATE FUNCTION hongyan.${name}_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN INSERT INTO hongyan.${name} ${note[table]}; RETURN NULL; END $$`,
    );
    const where = table === "logs" ? `WHEN (NEW.id BETWEEN '${first}' AND '${last}')` : "";
    await client.query(
      `CREATE TRIGGER ${name} AFTER INSERT OR UPDATE ON ${tableOf(table, bucket)}
       FOR EACH ROW ${where} EXECUTE FUNCTION hongyan.${name}_${table}()`,
    );
    // Also of what comes by replication.
    await client.query(`ALTER TABLE ${tableOf(table, bucket)} ENABLE ALWAYS TRIGGER ${name}`);
  }
}

export async function endNotes(client: ClientBase, bucket: Bucket): Promise<void> {
  const name = nameOf(bucket);
  // Where there are none, no lock is taken for them.
  const { rows } = await client.query("SELECT to_regclass($1) IS NOT NULL AS is_there", [`hongyan.${name}`]);
  if (!rows[0].is_there) return;
  for (const table of tables) {
    await client.query(`DROP TRIGGER ${name} ON ${tableOf(table, bucket)}`);
    await client.query(`DROP FUNCTION hongyan.${name}_${table}()`);
  }
  await client.query(`DROP TABLE hongyan.${name}`);
}

/**
 * Takes the notes that the transaction sees, each once; where it does not commit, they are there as before. Answers how
 * many. Until its end, `notedRows` are the rows that they name.
 */
export async function takeNotes(client: ClientBase, bucket: Bucket): Promise<number> {
  await client.query(
    "CREATE TEMPORARY TABLE taken (log uuid, seq bigint, reader bytea, reader_digest bytea) ON COMMIT DROP",
  );
  const { rowCount } = await client.query(
    `WITH gone AS (DELETE FROM hongyan.${nameOf(bucket)} RETURNING log, seq, reader, reader_digest)
     INSERT INTO taken SELECT DISTINCT log, seq, reader, reader_digest FROM gone`,
  );
  return rowCount ?? 0;
}

export async function hasNotes(client: ClientBase, bucket: Bucket): Promise<boolean> {
  const { rowCount } = await client.query(`SELECT FROM hongyan.${nameOf(bucket)} LIMIT 1`);
  return rowCount === 1;
}

/** The query of rows that notes name. */
export function notedRows(table: Table, bucket: Bucket): string {
  return `SELECT held.${columnsOf(table).replaceAll(", ", ", held.")}
    FROM taken AS note JOIN ${tableOf(table, bucket)} AS held ON ${isNoted[table]}`;
}

function isSame(table: Table): string {
  return keyOf(table)
    .map((column) => `held.${column} = note.${column}`)
    .join(" AND ");
}

function nameOf(bucket: Bucket): string {
  return `changed_${bucketName(bucket)}`;
}
