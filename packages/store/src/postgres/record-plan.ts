import type { LogId, Put } from "@hongyan/core";
import { type OrderedName, orderedName } from "./ordered-name.ts";
import type { Row } from "./writer.ts";

interface PlannedRecord {
  readonly name: OrderedName;
  /** 0: there is none. */
  version: number;
  value: Uint8Array | undefined;
  dirty: boolean;
  /** Somebody may write it: it must be locked. */
  isWritten: boolean;
}

/** What one group does to records. */
export class RecordPlan {
  readonly #records = new Map<string, PlannedRecord>();
  /** Whether one that was to be locked is not there: another node has deleted it in between. */
  isMissing = false;

  /** Those to be locked, and those that are only looked at, in the order of `load`. */
  names(areWritten: boolean): OrderedName[] {
    return this.#of(areWritten).map(({ name }) => name);
  }

  expect(key: string, isWritten: boolean): void {
    const record = this.#records.get(key);
    if (record === undefined)
      this.#records.set(key, {
        name: orderedName(key),
        version: 0,
        value: undefined,
        dirty: false,
        isWritten,
      });
    else record.isWritten ||= isWritten;
  }

  /** Takes rows of (index in `names`, version); what has none is not there. */
  load(areWritten: boolean, rows: readonly Row[]): void {
    const records = this.#of(areWritten);
    if (areWritten) this.isMissing = rows.length < records.length;
    for (const [at, version] of rows) (records[Number(at)] as PlannedRecord).version = Number(version);
  }

  #of(areWritten: boolean): PlannedRecord[] {
    return [...this.#records.values()].filter(({ isWritten }) => isWritten === areWritten);
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

  /** Records to be written, with their values. */
  get changed(): { readonly name: OrderedName; readonly version: number; readonly value: Uint8Array }[] {
    const changed = [];
    for (const { name, version, value, dirty } of this.#records.values())
      if (dirty && value !== undefined) changed.push({ name, version, value });
    return changed;
  }

  /** Records that were deleted, and places that nothing came into. */
  get gone(): OrderedName[] {
    return this.#of(true)
      .filter(({ version }) => version === 0)
      .map(({ name }) => name);
  }
}
