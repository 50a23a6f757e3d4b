import type { Advance } from "@hongyan/core";
import { ByteReader, type ByteWriter } from "./bytes.ts";
import { type Caches, cursorName } from "./caches.ts";
import type { Operation } from "./key-value.ts";
import { cursorKey } from "./keys.ts";

interface PlannedCursor {
  readonly key: Buffer;
  /** As stored, and as the group leaves it. */
  before: number;
  after: number;
}

/** What one group does to cursors: each is written once, at the highest position that the group asks for. */
export class CursorPlan {
  readonly #caches: Caches;
  readonly #cursors = new Map<string, PlannedCursor>();
  /** Cursors that are not in memory. */
  readonly #unknown: PlannedCursor[] = [];

  constructor(caches: Caches) {
    this.#caches = caches;
  }

  advance({ log, reader, position }: Advance): void {
    const name = cursorName(log, reader);
    let cursor = this.#cursors.get(name);
    if (cursor === undefined) {
      const known = this.#caches.cursor(name);
      cursor = { key: cursorKey(log, reader), before: known ?? 0, after: 0 };
      this.#cursors.set(name, cursor);
      if (known === undefined) this.#unknown.push(cursor);
    }
    if (position > cursor.after) cursor.after = position;
  }

  get keys(): Buffer[] {
    return this.#unknown.map(({ key }) => key);
  }

  /** Takes the stored values of `keys`, in their order. */
  load(stored: readonly (Uint8Array | undefined)[]): void {
    for (let i = 0; i < stored.length; i++) {
      const value = stored[i];
      const cursor = this.#unknown[i];
      if (value !== undefined && cursor !== undefined) cursor.before = decodePosition(value);
    }
  }

  /** Cursors never go back (G5): what is not above the stored position is not written. */
  writeTo(operations: Operation[], writer: ByteWriter): void {
    for (const { key, before, after } of this.#cursors.values()) {
      if (after <= before) continue;
      writer.varint(after);
      operations.push({ key, value: writer.take() });
    }
  }

  /** Call once the disk has the plan. */
  settle(): void {
    for (const [name, { before, after }] of this.#cursors)
      this.#caches.setCursor(name, Math.max(before, after));
  }
}

export function decodePosition(stored: Uint8Array): number {
  return new ByteReader(stored).varint();
}
