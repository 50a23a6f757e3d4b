import type { Advance, LogId } from "@hongyan/core";
import { digestOf } from "../digest.ts";
import { type OrderedName, orderedName } from "./ordered-name.ts";

export interface PlannedCursor {
  readonly log: Buffer;
  readonly reader: OrderedName;
  position: number;
}

/** What one group does to cursors: each is written once, at the highest position that the group asks for. */
export class CursorPlan {
  readonly #cursors = new Map<string, Map<string, PlannedCursor>>();

  advance({ log, reader, position }: Advance): void {
    // One of 0 is no cursor.
    if (position === 0) return;
    let readers = this.#cursors.get(log);
    if (readers === undefined) {
      readers = new Map();
      this.#cursors.set(log, readers);
    }
    const cursor = readers.get(reader);
    if (cursor !== undefined) cursor.position = Math.max(cursor.position, position);
    else readers.set(reader, { log: digestOf(log), reader: orderedName(reader), position });
  }

  /** Logs with cursors that are moved. */
  get logs(): { readonly name: LogId; readonly id: Buffer }[] {
    return [...this.#cursors].map(([name, readers]) => ({
      name,
      id: (readers.values().next().value as PlannedCursor).log,
    }));
  }

  get changed(): PlannedCursor[] {
    return [...this.#cursors.values()].flatMap((readers) => [...readers.values()]);
  }
}
