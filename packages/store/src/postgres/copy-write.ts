import type { KeyedEntry, Part } from "../copy/items.ts";
import { digestOf } from "../digest.ts";
import { byteaArray, int8Array, uuidArray } from "./binary-array.ts";
import { eraseTrimmed, setCursors, setMarks, setRecords } from "./copy-statements.ts";
import { orderedName } from "./ordered-name.ts";
import { deleteRecords, ensureLogs, insertEntries } from "./statements.ts";
import type { Writer } from "./writer.ts";

/** Puts a part into the tables, within the transaction that is open. An entry that is there already rejects. */
export async function writePart(writer: Writer, { logs, cursors, records }: Part): Promise<void> {
  const work: Promise<unknown>[] = [];
  // A log that has only cursors gets its row as well: no other place has its name.
  const names = new Set([...logs, ...cursors].map(({ log }) => log));
  const ids = new Map([...names].map((name) => [name, digestOf(name)]));
  const idOf = ({ log }: { readonly log: string }): Buffer => ids.get(log) as Buffer;
  if (ids.size > 0)
    work.push(
      writer.run(ensureLogs, [
        uuidArray([...ids.values()]),
        byteaArray([...ids.keys()].map((name) => Buffer.from(name))),
      ]),
    );
  if (logs.length > 0) {
    const entries = logs.flatMap((log) => log.entries.map((entry) => ({ id: idOf(log), ...entry })));
    if (entries.length > 0)
      work.push(
        writer.run(insertEntries, [
          uuidArray(entries.map(({ id }) => id)),
          int8Array(entries.map(({ seq }) => seq)),
          int8Array(entries.map(({ time }) => time)),
          uuidArray(producerIds(entries)),
          int8Array(entries.map(({ key }) => key?.number ?? 0)),
          byteaArray(entries.map(({ body }) => body)),
        ]),
      );
    work.push(
      writer.run(setMarks, [
        uuidArray(logs.map(idOf)),
        int8Array(logs.map(({ head }) => head)),
        int8Array(logs.map(({ trimmed }) => trimmed)),
      ]),
    );
    const trimmed = logs.filter((log) => log.trimmed > 0);
    if (trimmed.length > 0)
      work.push(
        writer.run(eraseTrimmed, [
          uuidArray(trimmed.map(idOf)),
          int8Array(trimmed.map((log) => log.trimmed)),
        ]),
      );
  }
  if (cursors.length > 0) {
    const readers = cursors.map(({ reader }) => orderedName(reader));
    work.push(
      writer.run(setCursors, [
        uuidArray(cursors.map(idOf)),
        byteaArray(readers.map(({ head }) => head)),
        byteaArray(readers.map(({ digest }) => digest)),
        byteaArray(readers.map(({ rest }) => rest)),
        int8Array(cursors.map(({ position }) => position)),
      ]),
    );
  }
  const there = records.filter(({ value }) => value !== undefined);
  if (there.length > 0) {
    const keys = there.map(({ key }) => orderedName(key));
    work.push(
      writer.run(setRecords, [
        byteaArray(keys.map(({ head }) => head)),
        byteaArray(keys.map(({ digest }) => digest)),
        byteaArray(keys.map(({ rest }) => rest)),
        int8Array(there.map(({ version }) => version)),
        byteaArray(there.map(({ value }) => value)),
      ]),
    );
  }
  const gone = records.filter(({ value }) => value === undefined).map(({ key }) => orderedName(key));
  if (gone.length > 0)
    work.push(
      writer.run(deleteRecords, [
        byteaArray(gone.map(({ head }) => head)),
        byteaArray(gone.map(({ digest }) => digest)),
      ]),
    );
  await Promise.all(work);
}

/** Digests of producers, whose entries mostly come one after another. */
function producerIds(entries: readonly KeyedEntry[]): (Uint8Array | undefined)[] {
  let name: string | undefined;
  let digest: Buffer | undefined;
  return entries.map(({ key }) => {
    if (typeof key?.producer !== "string") return key?.producer;
    if (key.producer !== name) {
      name = key.producer;
      digest = digestOf(name);
    }
    return digest;
  });
}
