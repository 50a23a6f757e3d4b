import type { CursorId, Entry, LogId, PageLimit, ReaderPosition, StoredRecord } from "@hongyan/core";
import { digestOf } from "../digest.ts";
import { byteaArray, uuidArray } from "./binary-array.ts";
import { orderedName, prefixEnd } from "./ordered-name.ts";
import type { Readers } from "./readers.ts";
import { readHeads } from "./statements.ts";
import type { Row, Statement } from "./writer.ts";

/**
 * A page of entries. The bytes are summed up on the server, so that no page comes over the wire that would then be
 * thrown away; the sum needs the lengths of bodies, not the bodies.
 */
function page(name: string, condition: string, direction: string): Statement {
  return {
    name,
    text: `
      SELECT seq, time, body FROM (
        SELECT seq, time, body, row_number() OVER walk AS nth, sum(octet_length(body)) OVER walk AS bytes
        FROM (
          SELECT entries.seq, entries.time, entries.body
          FROM hongyan.logs JOIN hongyan.entries ON entries.log = logs.id AND ${condition}
          WHERE logs.id = $1::uuid AND entries.log = $1::uuid
          ORDER BY entries.seq ${direction} LIMIT $3::int8
        ) AS found
        WINDOW walk AS (ORDER BY seq ${direction})
      ) AS measured
      WHERE nth = 1 OR bytes <= $4::int8
      ORDER BY seq ${direction}`,
  };
}

const readPage = page("read", "entries.seq > greatest($2::int8, logs.trimmed)", "ASC");
const readBackPage = page("read_back", "entries.seq < $2::int8 AND entries.seq > logs.trimmed", "DESC");

const findKey: Statement = {
  name: "find",
  text: "SELECT seq FROM hongyan.entries WHERE log = $1::uuid AND producer = $2::uuid AND number = $3::int8",
};

const readPositions: Statement = {
  name: "positions",
  text: `
    SELECT coalesce(cursors.position, 0)
    FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) WITH ORDINALITY AS wanted (log, reader, digest, at)
    LEFT JOIN hongyan.cursors ON cursors.log = wanted.log
      AND cursors.reader = wanted.reader AND cursors.reader_digest = wanted.digest
    ORDER BY at`,
};

const listReaders: Statement = {
  name: "readers",
  text: `
    SELECT reader || reader_rest, position FROM hongyan.cursors
    WHERE log = $1::uuid AND reader >= $2::bytea AND (reader, reader_rest) > ($2::bytea, $3::bytea)
    ORDER BY reader, reader_rest LIMIT $4::int8`,
};

const readRecords: Statement = {
  name: "records",
  text: `
    SELECT records.version, records.value
    FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS wanted (key, digest, at)
    LEFT JOIN hongyan.records ON records.key = wanted.key AND records.key_digest = wanted.digest
    ORDER BY at`,
};

const listRecords: Statement = {
  name: "list",
  text: `
    SELECT key || key_rest, version, value FROM hongyan.records
    WHERE key >= $1::bytea AND key < $2::bytea AND key >= $3::bytea
      AND (key, key_rest) > ($3::bytea, $4::bytea)
      AND substring(key || key_rest FROM 1 FOR octet_length($5::bytea)) = $5::bytea
    ORDER BY key, key_rest LIMIT $6::int8`,
};

export async function readAfter(
  readers: Pick<Readers, "run">,
  log: LogId,
  after: number,
  limit: PageLimit,
): Promise<Entry[]> {
  return toEntries(await readers.run(readPage, [digestOf(log), after, ...bounds(limit)]));
}

export async function readBefore(
  readers: Pick<Readers, "run">,
  log: LogId,
  before: number,
  limit: PageLimit,
): Promise<Entry[]> {
  return toEntries(await readers.run(readBackPage, [digestOf(log), before, ...bounds(limit)]));
}

export async function headsOf(readers: Pick<Readers, "run">, logs: readonly LogId[]): Promise<number[]> {
  if (logs.length === 0) return [];
  const rows = await readers.run(readHeads, [uuidArray(logs.map(digestOf))]);
  return rows.map(([head]) => Number(head));
}

export async function seqOfKey(
  readers: Pick<Readers, "run">,
  log: LogId,
  producer: string,
  number: number,
): Promise<number | undefined> {
  if (producer === "") return undefined;
  const [row] = await readers.run(findKey, [digestOf(log), digestOf(producer), number]);
  return row && Number(row[0]);
}

export async function positionsOf(readers: Pick<Readers, "run">, of: readonly CursorId[]): Promise<number[]> {
  if (of.length === 0) return [];
  const names = of.map(({ reader }) => orderedName(reader));
  const rows = await readers.run(readPositions, [
    uuidArray(of.map(({ log }) => digestOf(log))),
    byteaArray(names.map(({ head }) => head)),
    byteaArray(names.map(({ digest }) => digest)),
  ]);
  return rows.map(([position]) => Number(position));
}

export async function readersOf(
  readers: Pick<Readers, "run">,
  log: LogId,
  after: string,
  count: number,
): Promise<ReaderPosition[]> {
  const { head, rest } = orderedName(after);
  const rows = await readers.run(listReaders, [digestOf(log), head, rest, count]);
  return rows.map(([reader, position]) => ({ reader: String(reader), position: Number(position) }));
}

export async function recordsOf(
  readers: Pick<Readers, "run">,
  keys: readonly string[],
): Promise<(StoredRecord | undefined)[]> {
  if (keys.length === 0) return [];
  const names = keys.map(orderedName);
  const rows = await readers.run(readRecords, [
    byteaArray(names.map(({ head }) => head)),
    byteaArray(names.map(({ digest }) => digest)),
  ]);
  return rows.map(([version, value], i) =>
    version === null
      ? undefined
      : { key: keys[i] as string, version: Number(version), value: value as Buffer },
  );
}

export async function recordsWith(
  readers: Pick<Readers, "run">,
  prefix: string,
  after: string,
  count: number,
): Promise<StoredRecord[]> {
  const from = orderedName(prefix);
  const last = orderedName(after);
  const rows = await readers.run(listRecords, [
    from.head,
    prefixEnd(from),
    last.head,
    last.rest,
    Buffer.from(prefix),
    count,
  ]);
  return rows.map(([key, version, value]) => ({
    key: String(key),
    version: Number(version),
    value: value as Buffer,
  }));
}

/** At least one entry, and what an int8 holds. */
function bounds({ count, bytes }: PageLimit): [number, number] {
  return [Math.max(1, Math.min(count, Number.MAX_SAFE_INTEGER)), Math.min(bytes, Number.MAX_SAFE_INTEGER)];
}

function toEntries(rows: readonly Row[]): Entry[] {
  return rows.map(([seq, time, body]) => ({ seq: Number(seq), time: Number(time), body: body as Buffer }));
}
