import type { Statement } from "./writer.ts";

/**
 * What a commit says. Columns of a batch arrive as arrays; `at` is the index in them. Every statement that locks does
 * so in the order of the key, logs before records before entries before cursors: two commits cannot wait for each
 * other.
 *
 * Locking is a statement of its own. A statement takes its snapshot before it waits for a lock: one that would lock
 * and look at once would miss what the last holder of the lock has just committed. The next statement has a snapshot
 * of its own, taken when the locks are ours.
 */

/** Logs that this node has not written to yet. Before the locks: a row that is not there cannot be locked. */
export const ensureLogs: Statement = {
  name: "ensure_logs",
  text: `
    INSERT INTO hongyan.logs (id, name)
    SELECT id, name FROM unnest($1::uuid[], $2::bytea[]) AS wanted (id, name) ORDER BY id
    ON CONFLICT (id) DO NOTHING`,
};

/** Nodes that write to the same logs come one after another here, instead of refusing each other's entries. */
export const lockLogs: Statement = {
  name: "lock_logs",
  text: `
    SELECT 1 FROM unnest($1::uuid[]) AS wanted (id) JOIN hongyan.logs ON logs.id = wanted.id
    ORDER BY wanted.id FOR UPDATE OF logs`,
};

/** The highest seq of each log, in the order in which they are asked for; 0 where there is none. */
export const readHeads: Statement = {
  name: "heads",
  text: `
    SELECT greatest(
      (SELECT seq FROM hongyan.entries WHERE entries.log = wanted.id ORDER BY seq DESC LIMIT 1), logs.head, 0)
    FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, at)
    LEFT JOIN hongyan.logs ON logs.id = wanted.id ORDER BY at`,
};

/** Entries that idempotency keys name already; no digest of a body that was trimmed. */
export const findKeys: Statement = {
  name: "find_keys",
  text: `
    SELECT wanted.at - 1, entries.seq, entries.time,
      CASE WHEN entries.seq > logs.trimmed THEN encode(sha256(entries.body), 'hex') END
    FROM unnest($1::uuid[], $2::uuid[], $3::int8[]) WITH ORDINALITY AS wanted (log, producer, number, at)
    JOIN hongyan.entries ON entries.log = wanted.log
      AND entries.producer = wanted.producer AND entries.number = wanted.number
    JOIN hongyan.logs ON logs.id = wanted.log`,
};

/**
 * The unique indexes decide: where another node has taken a seq (G3) or stored a key (G2) since this one looked, or
 * since it wrote to the log for the last time, nothing of the transaction takes effect.
 */
export const insertEntries: Statement = {
  name: "insert_entries",
  text: `
    INSERT INTO hongyan.entries (log, seq, time, producer, number, body)
    SELECT * FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::uuid[], $5::int8[], $6::bytea[])`,
};

/** Places for records that do not exist, so that there is something to lock; they are gone before the commit. */
export const ensureRecords: Statement = {
  name: "ensure_records",
  text: `
    INSERT INTO hongyan.records (key, key_digest, key_rest, version, value)
    SELECT key, digest, rest, 0, '' FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS wanted (key, digest, rest)
    ORDER BY key, digest
    ON CONFLICT (key, key_digest) DO NOTHING`,
};

export const lockRecords: Statement = {
  name: "lock_records",
  text: `
    SELECT wanted.at - 1, records.version
    FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS wanted (key, digest, at)
    JOIN hongyan.records ON records.key = wanted.key AND records.key_digest = wanted.digest
    ORDER BY wanted.key, wanted.digest
    FOR UPDATE OF records`,
};

/** Records that must not be there, and mostly are not. After the locks, like `findKeys`. */
export const lookRecords: Statement = {
  name: "look_records",
  text: `
    SELECT wanted.at - 1, records.version
    FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS wanted (key, digest, at)
    JOIN hongyan.records ON records.key = wanted.key AND records.key_digest = wanted.digest`,
};

export const setRecords: Statement = {
  name: "set_records",
  text: `
    UPDATE hongyan.records SET version = changed.version, value = changed.value
    FROM unnest($1::bytea[], $2::bytea[], $3::int8[], $4::bytea[]) AS changed (key, digest, version, value)
    WHERE records.key = changed.key AND records.key_digest = changed.digest`,
};

export const deleteRecords: Statement = {
  name: "delete_records",
  text: `
    DELETE FROM hongyan.records USING unnest($1::bytea[], $2::bytea[]) AS gone (key, digest)
    WHERE records.key = gone.key AND records.key_digest = gone.digest`,
};

/** G5: a lower position changes nothing. */
export const advanceCursors: Statement = {
  name: "advance_cursors",
  text: `
    INSERT INTO hongyan.cursors (log, reader, reader_digest, reader_rest, position)
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::int8[])
      AS wanted (log, reader, digest, rest, position)
    ORDER BY log, reader, digest
    ON CONFLICT (log, reader, reader_digest) DO UPDATE SET position = excluded.position
    WHERE excluded.position > cursors.position`,
};

/** Shows that the server takes writes, and still holds the same data. */
export const probe: Statement = {
  name: "probe",
  text: "UPDATE hongyan.meta SET probed = now() RETURNING epoch, version",
};

export const trimLog: Statement = {
  name: "trim_log",
  text: `
    UPDATE hongyan.logs SET trimmed = greatest(
      trimmed, least($2::int8, greatest(head, (SELECT max(seq) FROM hongyan.entries WHERE log = $1::uuid)))
    )
    WHERE id = $1::uuid RETURNING trimmed, erased`,
};

/** The row stays: it is the idempotency key. */
export const eraseBodies: Statement = {
  name: "erase_bodies",
  text: `
    UPDATE hongyan.entries SET body = NULL
    WHERE log = $1::uuid AND seq > $2::int8 AND seq <= $3::int8 AND body IS NOT NULL`,
};

export const setErased: Statement = {
  name: "set_erased",
  text: "UPDATE hongyan.logs SET erased = greatest(erased, $2::int8) WHERE id = $1::uuid",
};
