import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@hongyan/core";
import { append, commitAppends, everything, hostile, type OpenStore, shown, withStore } from "./subject.ts";

export function readContract(open: OpenStore): void {
  const check = (title: string, work: (store: Store) => Promise<void>): void => {
    test(title, () => withStore(open, work));
  };

  /** Entries 1..30 of log "a" in commits of 1, 2, 3, ... and neighbours that must not show. */
  const fill = async (store: Store): Promise<void> => {
    let seq = 0;
    for (let size = 1; seq < 30; size++) {
      const appends = [];
      for (let i = 0; i < size && seq < 30; i++)
        appends.push(append("a", "p", ++seq, `${seq}`.padStart(10, "0")));
      await commitAppends(
        store,
        ...appends,
        append("a\u0000", "p", size, "no"),
        append("Z", "p", size, "no"),
      );
    }
  };
  const seqs = async (entries: Promise<{ seq: number }[]>): Promise<number[]> =>
    (await entries).map(({ seq }) => seq);
  const range = (from: number, to: number): number[] => {
    const step = from <= to ? 1 : -1;
    return Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => from + i * step);
  };

  check("G3 read returns entries after a seq, ascending, from any position", async (store) => {
    await fill(store);
    for (let after = 0; after < 30; after++) {
      assert.deepEqual(await seqs(store.read("a", after, everything)), range(after + 1, 30));
    }
    for (const after of [30, 31, 1e9, Number.MAX_SAFE_INTEGER])
      assert.deepEqual(await store.read("a", after, everything), []);
    assert.deepEqual(await store.read("none", 0, everything), []);
  });

  check("readBack returns entries before a seq, descending, from any position", async (store) => {
    await fill(store);
    for (let before = 2; before <= 31; before++) {
      assert.deepEqual(await seqs(store.readBack("a", before, everything)), range(before - 1, 1));
    }
    for (const before of [32, 1e9, Number.MAX_SAFE_INTEGER]) {
      assert.deepEqual(await seqs(store.readBack("a", before, everything)), range(30, 1));
    }
    for (const before of [0, 1]) assert.deepEqual(await store.readBack("a", before, everything), []);
    assert.deepEqual(await store.readBack("none", 5, everything), []);
  });

  check(
    "a page ends at its count or its bytes, whichever is first, and has at least one entry",
    async (store) => {
      await fill(store);
      const page = (count: number, bytes: number) => seqs(store.read("a", 7, { count, bytes }));
      const back = (count: number, bytes: number) => seqs(store.readBack("a", 25, { count, bytes }));
      assert.deepEqual(await page(5, 1e6), range(8, 12));
      assert.deepEqual(await back(5, 1e6), range(24, 20));
      assert.deepEqual(await page(100, 39), range(8, 10));
      assert.deepEqual(await back(100, 39), range(24, 22));
      assert.deepEqual(await page(100, 40), range(8, 11));
      assert.deepEqual(await back(100, 40), range(24, 21));
      for (const [count, bytes] of [
        [1, 1e6],
        [100, 10],
        [100, 1],
        [100, 0],
        [0, 0],
      ] as const) {
        assert.deepEqual(await page(count, bytes), [8]);
        assert.deepEqual(await back(count, bytes), [24]);
      }
    },
  );

  check("G3 pages put one after another are the log", async (store) => {
    await fill(store);
    for (const limit of [
      { count: 1, bytes: 1e6 },
      { count: 7, bytes: 1e6 },
      { count: 100, bytes: 25 },
    ]) {
      const seen: number[] = [];
      for (;;) {
        const entries = await store.read("a", seen.at(-1) ?? 0, limit);
        if (entries.length === 0) break;
        seen.push(...entries.map(({ seq }) => seq));
      }
      assert.deepEqual(seen, range(1, 30));
    }
  });

  check(
    "a read sees all that was committed before it, and never a hole, while commits run",
    async (store) => {
      const commits: Promise<unknown>[] = [];
      for (let n = 1; n <= 200; n++) {
        commits.push(commitAppends(store, append("a", "p", n, `${n}`), append("a", "q", n, `${n}`)));
        if (n % 20 !== 0) continue;
        await commits[n - 11];
        const [head] = await store.heads(["a"]);
        const entries = await store.read("a", 0, everything);
        const back = await store.readBack("a", Number.MAX_SAFE_INTEGER, everything);
        assert.ok((head as number) >= (n - 10) * 2);
        assert.ok(entries.length >= (head as number));
        assert.ok(back.length >= entries.length);
        assert.deepEqual(
          entries.map(({ seq }) => seq),
          range(1, entries.length),
        );
        assert.deepEqual(
          back.map(({ seq }) => seq),
          range(back.length, 1),
        );
      }
      await Promise.all(commits);
    },
  );

  check("heads answers each log, 0 for an empty one", async (store) => {
    await fill(store);
    assert.deepEqual(await store.heads(["none", "a", "Z", "a", ""]), [0, 30, 8, 30, 0]);
    assert.deepEqual(await store.heads([]), []);
  });

  check("G10 a log is read by its id alone, whatever the id looks like", async (store) => {
    await commitAppends(
      store,
      ...hostile.flatMap((log) => [append(log, "p", 1, log), append(log, "p", 2, `${log}.`)]),
    );
    for (const log of hostile) {
      assert.deepEqual(shown(await store.read(log, 0, everything)), [`1:${log}`, `2:${log}.`]);
      assert.deepEqual(shown(await store.readBack(log, 9, everything)), [`2:${log}.`, `1:${log}`]);
    }
    assert.deepEqual(
      await store.heads(hostile),
      hostile.map(() => 2),
    );
  });
}
