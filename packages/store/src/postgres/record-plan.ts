import type { LogId, Put } from "@hongyan/core";
import { type OrderedName, orderedName } from "./ordered-name.ts";

interface PlannedRecord {
  readonly name: OrderedName;
  /** 0: there is none. */
  version: number;
  value: Uint8Array | undefined;
  dirty: boolean;
}

/** What one group does to records. */
export class RecordPlan {
  readonly #records = new Map<string, PlannedRecord>();

  /** In the order of `load`. */
  get names(): OrderedName[] {
    return [...this.#records.values()].map(({ name }) => name);
  }

  expect(key: string): void {
    if (this.#records.has(key)) return;
    this.#records.set(key, { name: orderedName(key), version: 0, value: undefined, dirty: false });
  }

  load(versions: readonly number[]): void {
    let at = 0;
    for (const record of this.#records.values()) record.version = versions[at++] as number;
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
    return [...this.#records.values()].filter(({ version }) => version === 0).map(({ name }) => name);
  }
}
