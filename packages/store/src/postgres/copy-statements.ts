/** How rows are taken out of the tables, and put into them, exactly as they are. */
import type { Statement } from "./writer.ts";

// ── Out ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Names as bytes: text of PostgreSQL cannot hold U+0000. $1: what names begin with; $2: the log to go on after. */
export const logPage: Statement = {
  name: "copy_logs",
  text: `
    SELECT name, greatest(head, (SELECT max(seq) FROM hongyan.entries WHERE log = logs.id)), trimmed FROM hongyan.logs
    WHERE id > $2::uuid AND substring(name FROM 1 FOR octet_length($1::bytea)) = $1::bytea
    ORDER BY id LIMIT $3::int8`,
};

export const logMarks: Statement = {
  name: "copy_marks",
  text: `
    SELECT coalesce(greatest(logs.head, (SELECT max(seq) FROM hongyan.entries WHERE log = wanted.id)), 0),
      coalesce(logs.trimmed, 0)
    FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, at)
    LEFT JOIN hongyan.logs ON logs.id = wanted.id ORDER BY at`,
};

/**
 * Entries of several ranges, one behind the other, as many as fit into $4 bytes and $5 rows. What was trimmed and has
 * no key is of no use to anybody.
 */
export const entryPage: Statement = {
  name: "copy_entries",
  text: `
    SELECT at - 1, seq, time, producer, number, body FROM (
      SELECT found.*, row_number() OVER walk AS nth, sum(coalesce(octet_length(body), 0) + 64) OVER walk AS bytes
      FROM (
        SELECT wanted.at, entries.seq, uuid_send(entries.producer) AS producer, entries.number,
          CASE WHEN entries.seq > logs.trimmed THEN entries.time ELSE 0 END AS time,
          CASE WHEN entries.seq > logs.trimmed THEN entries.body END AS body
        FROM unnest($1::uuid[], $2::int8[], $3::int8[]) WITH ORDINALITY AS wanted (log, after, up_to, at)
        JOIN hongyan.logs ON logs.id = wanted.log
        CROSS JOIN LATERAL (
          SELECT * FROM hongyan.entries
          WHERE entries.log = wanted.log AND entries.seq > wanted.after AND entries.seq <= wanted.up_to
          ORDER BY entries.seq LIMIT $5::int8
        ) AS entries
        WHERE entries.seq > logs.trimmed OR entries.producer IS NOT NULL
      ) AS found
      WINDOW walk AS (ORDER BY at, seq)
    ) AS measured
    WHERE nth = 1 OR (nth <= $5::int8 AND bytes <= $4::int8)
    ORDER BY at, seq`,
};

/** Cursors of some logs; $2 to $4: the one to go on after. */
export const cursorPage: Statement = {
  name: "copy_cursors",
  text: `
    SELECT logs.name, reader || reader_rest, position FROM hongyan.cursors JOIN hongyan.logs ON logs.id = cursors.log
    WHERE cursors.log = ANY ($1::uuid[]) AND (cursors.log, reader, reader_digest) > ($2::uuid, $3::bytea, $4::bytea)
    ORDER BY cursors.log, reader, reader_digest LIMIT $5::int8`,
};

// ── In ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const setMarks: Statement = {
  name: "copy_set_marks",
  text: `
    UPDATE hongyan.logs SET head = wanted.head, trimmed = wanted.trimmed, erased = wanted.trimmed
    FROM unnest($1::uuid[], $2::int8[], $3::int8[]) AS wanted (id, head, trimmed)
    WHERE logs.id = wanted.id`,
};

/** Bodies that were copied before they were trimmed. */
export const eraseTrimmed: Statement = {
  name: "copy_erase",
  text: `
    UPDATE hongyan.entries SET body = NULL
    FROM unnest($1::uuid[], $2::int8[]) AS gone (log, up_to)
    WHERE entries.log = gone.log AND entries.seq <= gone.up_to AND entries.body IS NOT NULL`,
};

export const setCursors: Statement = {
  name: "copy_set_cursors",
  text: `
    INSERT INTO hongyan.cursors (log, reader, reader_digest, reader_rest, position)
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::int8[])
    ON CONFLICT (log, reader, reader_digest) DO UPDATE SET position = excluded.position`,
};

export const setRecords: Statement = {
  name: "copy_set_records",
  text: `
    INSERT INTO hongyan.records (key, key_digest, key_rest, version, value)
    SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::int8[], $5::bytea[])
    ON CONFLICT (key, key_digest) DO UPDATE SET version = excluded.version, value = excluded.value`,
};

/** Whether there is anything whose name or key begins with $1; records, which are in order, are looked at first. */
export const hasAny: Statement = {
  name: "copy_has_any",
  text: `
    SELECT EXISTS (SELECT FROM hongyan.records WHERE key >= $1::bytea AND key < $2::bytea
        AND substring(key || key_rest FROM 1 FOR octet_length($1::bytea)) = $1::bytea)
      OR EXISTS (SELECT FROM hongyan.logs WHERE substring(name FROM 1 FOR octet_length($1::bytea)) = $1::bytea)`,
};
