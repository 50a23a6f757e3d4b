import { bucketCount } from "./bucket.ts";

/**
 * The tables, as steps from one version to the next. A step that was released never changes; a new version appends
 * one. The layout and its reasons: docs/concepts/postgres.md.
 */

/** Partitions of a table by the first hex digit of the log: smaller indexes, and the seam along which data can be moved. */
const partitions = bucketCount;

function partitioned(table: string, storage = ""): string {
  const bound = (i: number) => `'${i.toString(16)}0000000-0000-0000-0000-000000000000'`;
  const parts = Array.from(
    { length: partitions },
    (_, i) =>
      `CREATE TABLE hongyan.${table}_${i.toString(16)} PARTITION OF hongyan.${table} FOR VALUES FROM (${bound(i)}) TO (${i + 1 < partitions ? bound(i + 1) : "MAXVALUE"}) ${storage};`,
  );
  return parts.join("\n");
}

/** `migrations[n]` leads from version n to n + 1. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE hongyan.logs (
    id uuid PRIMARY KEY,
    -- Seqs up to here are taken, also where no row has them.
    head bigint NOT NULL DEFAULT 0,
    trimmed bigint NOT NULL DEFAULT 0,
    erased bigint NOT NULL DEFAULT 0,
    name bytea NOT NULL
  );

  CREATE TABLE hongyan.entries (
    seq bigint NOT NULL,
    time bigint NOT NULL,
    number bigint NOT NULL,
    log uuid NOT NULL,
    producer uuid,
    body bytea,
    PRIMARY KEY (log, seq)
  ) PARTITION BY RANGE (log);
  CREATE UNIQUE INDEX entries_key ON hongyan.entries (log, producer, number) WHERE producer IS NOT NULL;
  ${partitioned("entries")}

  CREATE TABLE hongyan.cursors (
    position bigint NOT NULL,
    log uuid NOT NULL,
    reader bytea NOT NULL,
    reader_digest bytea NOT NULL,
    reader_rest bytea NOT NULL,
    PRIMARY KEY (log, reader, reader_digest)
  ) PARTITION BY RANGE (log);
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
  `
  -- Which buckets this server holds, and which of those take no writes at the moment: what every transaction that writes
  -- looks at where there are several servers.
  CREATE TABLE hongyan.placement (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL,
    cluster text NOT NULL,
    server text NOT NULL,
    held int[] NOT NULL,
    frozen int[] NOT NULL
  );

  -- Used on the home server alone.
  CREATE TABLE hongyan.buckets (
    bucket int PRIMARY KEY,
    server text NOT NULL,
    moving_to text
  );
  CREATE TABLE hongyan.decisions (
    gid text PRIMARY KEY,
    committed boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  );
  `,
];

export const schemaVersion = migrations.length;
