import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, Put } from "@hongyan/core";
import { append, bodies, bytes, commitAppend, commitPuts, type OpenStore, withStore } from "./subject.ts";

const logs = Array.from({ length: 20 }, (_, i) => `log ${i}`);

/** Ten appends to each log, those of every other log only where there is no record of its name. */
function large(round: number): Batch {
  const puts: Put[] = logs.map((key) => ({ key, value: undefined, expect: 0 }));
  const appends = Array.from({ length: 10 }, (_, n) =>
    logs.map((log, i) => {
      const number = round * 10 + n + 1;
      return append(log, "p", number, `${log} ${number}`, i % 2 === 0 ? { guard: i } : {});
    }),
  ).flat();
  const advances = logs.map((log) => ({ log, reader: "r", position: round * 10 }));
  return { appends, advances, puts, inParts: true };
}

export function partContract(open: OpenStore): void {
  test("G2 G3 a batch that may be committed in parts is answered as a whole, in its own order", () =>
    withStore(open, async (store) => {
      await commitAppend(store, append("log 1", "p", 3, "log 1 3"));
      await commitAppend(store, append("log 3", "p", 3, "another"));
      await commitPuts(store, { key: "log 4", value: bytes("is here") });
      const { appends, puts } = await store.commit(large(0));
      const of = (i: number) =>
        appends.filter((_, at) => at % logs.length === i).map(({ status, seq }) => `${status} ${seq}`);
      const stored = (from: number, count: number) =>
        Array.from({ length: count }, (_, i) => `stored ${from + i}`);
      assert.deepEqual(of(0), stored(1, 10));
      assert.deepEqual(of(1), [...stored(2, 2), "duplicate 1", ...stored(4, 7)]);
      assert.deepEqual(of(3), [...stored(2, 2), "conflict 1", ...stored(4, 7)]);
      assert.deepEqual(of(4), Array(10).fill("refused 0"));
      assert.deepEqual(
        [...puts.keys()].filter((i) => i % 2 === 0 && puts[i] === undefined),
        [4],
      );
      const next = await store.commit(large(1));
      assert.deepEqual(
        next.appends.filter((_, at) => at % logs.length === 19).map(({ seq }) => seq),
        [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
      );
      assert.deepEqual(await bodies(store, "log 4"), []);
      assert.equal((await bodies(store, "log 19")).at(-1), "log 19 20");
      assert.deepEqual(
        await store.positions(logs.map((log) => ({ log, reader: "r" }))),
        logs.map(() => 10),
      );
    }));
}
