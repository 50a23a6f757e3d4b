/**
 * The tables, as steps from one version to the next. A step that was released never changes; a new version appends
 * one. The layout and its reasons: docs/concepts/postgres.md.
 */

/** Partitions of a table by hash of the log: smaller indexes, and the seam along which data can be moved. */
const partitions = 16;

function partitioned(table: string, storage = ""): string {
  const parts = Array.from(
    { length: partitions },
    (_, i) =>
      `CREATE TABLE hongyan.${table}_${i} PARTITION OF hongyan.${table} FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${i}) ${storage};`,
  );
  return parts.join("\n");
}

/** `migrations[n]` leads from version n to n + 1. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE hongyan.logs (
    id uuid PRIMARY KEY,
    head bigint NOT NULL DEFAULT 0,
    trimmed bigint NOT NULL DEFAULT 0,
    erased bigint NOT NULL DEFAULT 0,
    name bytea NOT NULL
  ) PARTITION BY HASH (id);
  ${partitioned("logs", "WITH (fillfactor = 70)")}

  CREATE TABLE hongyan.entries (
    seq bigint NOT NULL,
    time bigint NOT NULL,
    number bigint NOT NULL,
    log uuid NOT NULL,
    producer uuid,
    body bytea,
    PRIMARY KEY (log, seq)
  ) PARTITION BY HASH (log);
  CREATE UNIQUE INDEX entries_key ON hongyan.entries (log, producer, number) WHERE producer IS NOT NULL;
  ${partitioned("entries")}

  CREATE TABLE hongyan.cursors (
    position bigint NOT NULL,
    log uuid NOT NULL,
    reader bytea NOT NULL,
    reader_digest bytea NOT NULL,
    reader_rest bytea NOT NULL,
    PRIMARY KEY (log, reader, reader_digest)
  ) PARTITION BY HASH (log);
  ${partitioned("cursors", "WITH (fillfactor = 70)")}

  CREATE TABLE hongyan.records (
    version bigint NOT NULL,
    key bytea NOT NULL,
    key_digest bytea NOT NULL,
    key_rest bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (key, key_digest)
  );
  `,
];

export const schemaVersion = migrations.length;
