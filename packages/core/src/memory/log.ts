import type { Append, AppendOutcome, Entry } from "../ports.ts";

/** One log in memory: its entries above `trimmed`, every key it was ever given, and its cursors. */
export class MemoryLog {
  entries: Entry[] = [];
  trimmed = 0;
  readonly keys = new Map<string, Map<number, number>>();
  readonly cursors = new Map<string, number>();

  get head(): number {
    return this.trimmed + this.entries.length;
  }

  at(seq: number): Entry | undefined {
    return this.entries[seq - this.trimmed - 1];
  }

  append({ producer, number, time, body }: Append): AppendOutcome {
    const known = producer === "" ? undefined : this.keys.get(producer)?.get(number);
    if (known !== undefined) return this.#again(known, body);
    const seq = this.head + 1;
    this.entries.push({ seq, time, body: new Uint8Array(body) });
    if (producer !== "") {
      const numbers = this.keys.get(producer) ?? new Map<number, number>();
      this.keys.set(producer, numbers.set(number, seq));
    }
    return { status: "stored", seq, time };
  }

  trim(upTo: number): void {
    const count = Math.min(Math.max(upTo - this.trimmed, 0), this.entries.length);
    this.entries.splice(0, count);
    this.trimmed += count;
  }

  #again(seq: number, body: Uint8Array): AppendOutcome {
    const entry = this.at(seq);
    if (entry === undefined) return { status: "duplicate", seq, time: 0 };
    return { status: equal(entry.body, body) ? "duplicate" : "conflict", seq, time: entry.time };
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
