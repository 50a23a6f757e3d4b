/** What a transaction asks for before it can be decided. Everything leaves at once; answers go into the plan. */
import type { LogId } from "@hongyan/core";
import { byteaArray, int8Array, uuidArray } from "./binary-array.ts";
import type { LogPlan, PlannedEntry } from "./log-plan.ts";
import type { NameDigest } from "./name-digest.ts";
import { nameArrays } from "./ordered-name.ts";
import type { RecordPlan } from "./record-plan.ts";
import * as statements from "./statements.ts";
import type { Row, Writer } from "./writer.ts";

/** What a group must know of logs: all of it, or what is on one server. */
export interface LogLook {
  /** Logs that may have no row. */
  readonly unknown: readonly { readonly name: LogId; readonly id: NameDigest | Buffer }[];
  readonly locked: readonly LogPlan[];
  readonly keys: readonly PlannedEntry[];
}

/** Locks the logs that memory does not know enough of, and reads them. */
export function lookAtLogs(writer: Writer, { unknown, locked, keys }: LogLook): Promise<void>[] {
  const work: Promise<unknown>[] = [];
  if (unknown.length > 0)
    work.push(
      writer.run(statements.ensureLogs, [
        uuidArray(unknown.map(({ id }) => id)),
        byteaArray(unknown.map(({ name }) => Buffer.from(name))),
      ]),
    );
  if (locked.length > 0) {
    const ids = uuidArray(locked.map(({ id }) => id));
    work.push(
      writer.run(statements.lockLogs, [ids]),
      writer.run(statements.readHeads, [ids]).then((rows) => loadHeads(locked, rows)),
    );
  }
  if (keys.length > 0)
    work.push(
      writer
        .run(statements.findKeys, [
          uuidArray(keys.map(({ log }) => log.id)),
          uuidArray(keys.map(({ producer }) => producer?.digest)),
          int8Array(keys.map(({ append }) => append.number)),
        ])
        .then((rows) => loadKeys(keys, rows)),
    );
  return work as Promise<void>[];
}

/** Locks the records that may be written, and reads all that decide. */
export function lookAtRecords(writer: Pick<Writer, "run">, records: RecordPlan): Promise<void>[] {
  const work: Promise<void>[] = [];
  const written = records.names(true);
  if (written.length > 0) {
    const names = nameArrays(written);
    work.push(
      writer.run(statements.ensureRecords, names).then(() => undefined),
      writer.run(statements.lockRecords, names.slice(0, 2)).then((rows) => records.load(true, rows)),
    );
  }
  const looked = records.names(false);
  if (looked.length > 0)
    work.push(
      writer
        .run(statements.lookRecords, nameArrays(looked).slice(0, 2))
        .then((rows) => records.load(false, rows)),
    );
  return work;
}

/** Takes a row with the head of each. */
function loadHeads(locked: readonly LogPlan[], rows: readonly Row[]): void {
  locked.forEach((log, at) => {
    log.load(Number(rows[at]?.[0]));
  });
}

/** Takes rows of (index, seq, time, digest of the body). */
function loadKeys(keys: readonly PlannedEntry[], rows: readonly Row[]): void {
  for (const [at, seq, time, digest] of rows) {
    const key = keys[Number(at)] as PlannedEntry;
    key.stored = { seq: Number(seq), time: Number(time), digest: (digest as string | null) ?? undefined };
  }
}
