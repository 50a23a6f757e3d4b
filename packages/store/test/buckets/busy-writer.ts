import assert from "node:assert/strict";
import type { AppendOutcome, Store } from "@hongyan/core";
import { bucketOf } from "../../src/postgres/bucket.ts";
import { query } from "../postgres/databases.ts";

const trimEvery = 40;
const kept = 10;

/** Writes to logs through a store without a pause: entries, resends, positions, trims; and knows what must be there. */
export class BusyWriter {
  /** Seq of each entry that was acknowledged: `[log][number]`. */
  readonly #seqs = new Map<string, number[]>();
  readonly #trimmed = new Map<string, number>();
  readonly #store: Store;
  readonly #name: string;
  #isOver = false;
  readonly #writing: Promise<void>;
  /** Of its record. */
  #version = 0;

  constructor(store: Store, name: string, logs: readonly string[]) {
    this.#store = store;
    this.#name = name;
    this.#writing = this.#write(logs);
    this.#writing.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#writing;
  }

  async #write(logs: readonly string[]): Promise<void> {
    for (let nth = 0; !this.#isOver; nth++) {
      const log = logs[nth % logs.length] as string;
      const seqs = this.#seqs.get(log) ?? [];
      this.#seqs.set(log, seqs);
      const number = seqs.length;
      const { status, seq } = await this.#append(log, number);
      assert.equal(status, "stored");
      seqs.push(seq);
      if (nth % 3 === 0) await this.#read(log, number, seq);
      if (nth % 7 === 0) await this.#resend(log, nth % seqs.length);
      if (number % trimEvery !== trimEvery - 1) continue;
      await this.#store.trim(log, seq - kept);
      this.#trimmed.set(log, seq - kept);
    }
  }

  /** Some with a record, which is on the home server: both or none, wherever the log is. */
  async #append(log: string, number: number): Promise<AppendOutcome> {
    const body = Buffer.from(`${this.#name} ${number}`);
    const puts = number % 4 === 0 ? [{ key: this.#name, value: body }] : [];
    this.#version += puts.length;
    const { appends } = await this.#store.commit({
      appends: [{ log, producer: this.#name, number, time: 1, body }],
      advances: [{ log, reader: this.#name, position: number + 1 }],
      puts,
    });
    return appends[0] as AppendOutcome;
  }

  /** What was acknowledged is read, wherever it is by now. */
  async #read(log: string, number: number, seq: number): Promise<void> {
    const [entry] = await this.#store.read(log, seq - 1, { count: 1, bytes: 1000 });
    assert.equal(entry?.seq, seq, log);
    assert.equal(Buffer.from(entry?.body ?? "").toString(), `${this.#name} ${number}`);
    const [position] = await this.#store.positions([{ log, reader: this.#name }]);
    assert.equal(position, number + 1, log);
  }

  async #resend(log: string, number: number): Promise<void> {
    const again = await this.#append(log, number);
    assert.equal(again.status, "duplicate", `${log} ${number}`);
    assert.equal(again.seq, this.#seqs.get(log)?.[number], `${log} ${number}`);
  }

  /** Nobody writes any more. `all`: everybody who has written to these logs. */
  static async check(all: readonly BusyWriter[], urls: ReadonlyMap<string, string>): Promise<number> {
    const map = await query(urls.get("home") as string, "SELECT server FROM hongyan.buckets ORDER BY bucket");
    let entries = 0;
    const seqsOf = (name: string, log: string): number[] =>
      all.filter((one) => one.#name === name).flatMap((one) => one.#seqs.get(log) ?? []);
    for (const log of new Set(all.flatMap((one) => [...one.#seqs.keys()]))) {
      const url = urls.get(String(map[bucketOf(log)]?.server)) as string;
      const id = `(SELECT id FROM hongyan.logs WHERE name = convert_to('${log}', 'UTF8'))`;
      const rows = await query(
        url,
        `SELECT seq::int, convert_from(body, 'UTF8') AS body FROM hongyan.entries WHERE log = ${id} ORDER BY seq`,
      );
      // G3: no hole. G1, G2: each that was acknowledged, at its seq, and nothing else.
      assert.deepEqual(
        rows.map(({ seq }) => seq),
        rows.map((_, at) => at + 1),
        log,
      );
      const [mark] = await query(url, `SELECT trimmed::int FROM hongyan.logs WHERE id = ${id}`);
      const trimmed = Math.max(...all.map((one) => one.#trimmed.get(log) ?? 0));
      assert.equal(mark?.trimmed, trimmed, log);
      const known = new Map<number, string>();
      for (const one of all)
        for (const [number, seq] of (one.#seqs.get(log) ?? []).entries())
          known.set(seq, `${one.#name} ${number}`);
      assert.equal(known.size, rows.length, log);
      for (const { seq, body } of rows)
        assert.equal(body, Number(seq) > trimmed ? known.get(Number(seq)) : null, `${log} ${seq}`);
      entries += rows.length;
      const cursors = await query(
        url,
        `SELECT convert_from(reader, 'UTF8') AS reader, position::int FROM hongyan.cursors WHERE log = ${id}`,
      );
      for (const { reader, position } of cursors)
        assert.equal(position, seqsOf(String(reader), log).length, `G5 ${log}`);
      assert.equal(cursors.length, all.filter((one) => one.#seqs.has(log)).length);
      // Everything ever sent is still known.
      for (const one of all)
        for (const number of (one.#seqs.get(log) ?? []).keys())
          if (number % 5 === 0) await one.#resend(log, number);
    }
    for (const one of all) {
      const [record] = await one.#store.records([one.#name]);
      assert.equal(record?.version, one.#version);
    }
    return entries;
  }
}
