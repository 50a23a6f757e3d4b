import type { LogId, Put, StoredRecord } from "@hongyan/core";
import { ByteReader, type ByteWriter } from "./bytes.ts";
import type { Operation } from "./key-value.ts";
import { recordKey } from "./keys.ts";

interface PlannedRecord {
  /** 0: there is none. */
  version: number;
  value: Uint8Array | undefined;
  dirty: boolean;
}

/** What one group does to records. */
export class RecordPlan {
  readonly #records = new Map<string, PlannedRecord>();

  /** Keys in the order in which `load` takes their values. */
  get keys(): Iterable<string> {
    return this.#records.keys();
  }

  expect(key: string): void {
    if (!this.#records.has(key)) this.#records.set(key, { version: 0, value: undefined, dirty: false });
  }

  load(key: string, stored: Uint8Array | undefined): void {
    if (stored === undefined) return;
    const { version, value } = decodeRecord(key, stored);
    this.#records.set(key, { version, value, dirty: false });
  }

  /** The new version (0: deleted), or undefined where the put does not land. `headOf`: of a log of the group. */
  put(
    { key, value, expect, head, guard }: Put,
    earlier: readonly (number | undefined)[],
    headOf: (log: LogId) => number,
  ): number | undefined {
    if (guard !== undefined && earlier[guard] === undefined) return undefined;
    if (head !== undefined && head.seq !== headOf(head.log)) return undefined;
    const record = this.#records.get(key) as PlannedRecord;
    if (expect !== undefined && expect !== record.version) return undefined;
    record.version = value === undefined ? 0 : record.version + 1;
    record.value = value;
    record.dirty = true;
    return record.version;
  }

  writeTo(operations: Operation[], writer: ByteWriter): void {
    for (const [key, { version, value, dirty }] of this.#records) {
      if (!dirty) continue;
      operations.push({ key: recordKey(key), value: value && encodeRecord(writer, version, value) });
    }
  }
}

export function encodeRecord(writer: ByteWriter, version: number, value: Uint8Array): Buffer {
  writer.varint(version);
  writer.bytes(value);
  return writer.take();
}

export function decodeRecord(key: string, stored: Uint8Array): StoredRecord {
  const reader = new ByteReader(stored);
  const version = reader.varint();
  return { key, version, value: reader.buffer.subarray(reader.offset) };
}
