import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, Put, Store } from "@hongyan/core";
import { MemoryStore } from "@hongyan/core/memory";
import fc from "fast-check";
import { bytes, everything, type OpenStore, withStore } from "./subject.ts";

/** Few names, so that they meet; some of them unpleasant. */
const names = ["a", "a\u0000", "a/b", "鸿~%"];
const name = fc.constantFrom(...names);
/** Mostly rising by one, sometimes far away, sometimes none at all: chunks of every kind are opened and left. */
const number = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 70 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1_000, 1_001, 5_000, 2 ** 40) },
);
/** More producers than a log keeps at hand. */
const producer = fc.oneof(
  { weight: 1, arbitrary: fc.constant("") },
  {
    weight: 9,
    arbitrary: fc.integer({ min: 1, max: 14 }).map((i) => (i === 14 ? "p".repeat(600) : `p${i}`)),
  },
);

const append = fc.record(
  {
    log: name,
    producer,
    number,
    time: fc.integer({ min: 0, max: 9 }),
    body: fc.constantFrom(bytes("x"), bytes("x"), bytes("x"), bytes("other")),
    guard: fc.integer({ min: 0, max: 2 }),
  },
  { requiredKeys: ["log", "producer", "number", "time", "body"] },
);
const advance = fc.record({ log: name, reader: name, position: fc.integer({ min: 0, max: 9 }) });
const put = fc.record(
  {
    key: name,
    value: fc.option(fc.constantFrom(bytes("1"), bytes("2")), { nil: undefined, freq: 4 }),
    expect: fc.integer({ min: 0, max: 3 }),
    head: fc.record({ log: name, seq: fc.integer({ min: 0, max: 12 }) }),
    guard: fc.integer({ min: 0, max: 1 }),
  },
  { requiredKeys: ["key", "value"] },
);
const batch = fc
  .record({
    appends: fc.array(append, { maxLength: 12 }),
    advances: fc.array(advance, { maxLength: 3 }),
    puts: fc.array(put, { maxLength: 3 }),
  })
  .map(withoutDangling);

type Step =
  | { readonly kind: "commit"; readonly batches: readonly Batch[] }
  | { readonly kind: "trim"; readonly log: string; readonly upTo: number }
  | { readonly kind: "reopen" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      // Several at once share a group commit.
      batches: fc.array(batch, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("trim" as const),
      log: name,
      upTo: fc.integer({ min: 0, max: 30 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "reopen" as const }) },
);

export function modelContract(open: OpenStore, runs: number): void {
  test("G2 G3 G5 any run of commits, trims and restarts answers as the memory store does", async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) =>
      withStore(open, async (store, { reopen }) => {
        const model = new MemoryStore();
        let subject = store;
        for (const one of steps) {
          if (one.kind === "reopen") subject = (await reopen?.()) ?? subject;
          else if (one.kind === "trim")
            await Promise.all([subject, model].map((each) => each.trim(one.log, one.upTo)));
          else {
            const outcomes = await Promise.all(one.batches.map((each) => subject.commit(each)));
            assert.deepEqual(outcomes, await Promise.all(one.batches.map((each) => model.commit(each))));
          }
        }
        assert.deepEqual(await contentOf(subject), await contentOf(model));
      }),
    );
    const seed = process.env.HONGYAN_TEST_SEED;
    // A failing run prints its seed, and shrinks to the shortest one.
    await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) });
  });
}

async function contentOf(store: Store): Promise<unknown> {
  const plain = (value: Uint8Array): string => Buffer.from(value).toString("hex");
  const logs = [];
  for (const log of names) {
    const entries = await store.read(log, 0, everything);
    const back = await store.readBack(log, Number.MAX_SAFE_INTEGER, everything);
    const found: (number | undefined)[] = [];
    for (let p = 1; p <= 14; p++) {
      const producer = p === 14 ? "p".repeat(600) : `p${p}`;
      for (const n of [0, 1, 2, 31, 32, 33, 64, 65, 1_000, 2 ** 40])
        found.push(await store.find(log, producer, n));
    }
    logs.push({
      log,
      found,
      entries: entries.map(({ seq, time, body }) => [seq, time, plain(body)]),
      back: back.map(({ seq }) => seq),
      readers: await store.readers(log, "", 100),
    });
  }
  const records = (await store.list("", "", 100)).map(({ key, version, value }) => [
    key,
    version,
    plain(value),
  ]);
  return { logs, heads: await store.heads(names), records };
}

function withoutDangling({ appends, advances, puts }: Batch): Batch {
  const clean = <T extends { readonly guard?: number }>(one: T, below: number): T => {
    const { guard, ...rest } = one;
    return guard !== undefined && guard < below ? one : (rest as T);
  };
  const cleanHead = ({ head, ...rest }: Put): Put =>
    head !== undefined && appends.some(({ log }) => log === head.log) ? { ...rest, head } : rest;
  return {
    appends: appends.map((one) => clean(one, puts.length)),
    advances,
    puts: puts.map((one, i) => cleanHead(clean(one, i))),
  };
}
