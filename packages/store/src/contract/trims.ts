import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@hongyan/core";
import {
  append,
  commitAdvances,
  commitAppend,
  commitAppends,
  everything,
  type OpenStore,
  type Subject,
  shown,
  withStore,
} from "./subject.ts";

export function trimContract(open: OpenStore): void {
  const check = (title: string, work: (store: Store, subject: Subject) => Promise<void>): void => {
    test(title, () => withStore(open, work));
  };

  const fill = async (store: Store): Promise<void> => {
    await commitAppends(store, ...[1, 2, 3, 4].map((n) => append("a", "p", n, `${n}`)));
    await commitAppends(store, ...[5, 6, 7, 8].map((n) => append("a", "p", n, `${n}`)));
    await commitAppends(store, append("b", "p", 1, "b"));
  };

  check("trim forgets entries up to a seq, also in the middle of what one commit wrote", async (store) => {
    await fill(store);
    for (const upTo of [0, 2, 1, 4, 6]) {
      await store.trim("a", upTo);
      const first = Math.max(upTo, upTo === 1 ? 2 : 0) + 1;
      const left = [1, 2, 3, 4, 5, 6, 7, 8].filter((n) => n >= first).map((n) => `${n}:${n}`);
      assert.deepEqual(shown(await store.read("a", 0, everything)), left);
      assert.deepEqual(shown(await store.readBack("a", 100, everything)), left.toReversed());
      assert.deepEqual(shown(await store.readBack("a", first + 1, everything)), left.slice(0, 1));
    }
    assert.deepEqual(shown(await store.read("b", 0, everything)), ["1:b"]);
    await store.trim("none", 5);
    assert.deepEqual(await store.heads(["none"]), [0]);
  });

  check("G2 G3 heads, cursors and keys stay when all entries are trimmed", async (store, subject) => {
    await fill(store);
    await commitAdvances(store, { log: "a", reader: "r", position: 3 });
    await store.trim("a", 1000);
    const reopened = (await subject.reopen?.()) ?? store;
    assert.deepEqual(await reopened.read("a", 0, everything), []);
    assert.deepEqual(await reopened.readBack("a", 9, everything), []);
    assert.deepEqual(await reopened.heads(["a"]), [8]);
    assert.deepEqual(await reopened.positions([{ log: "a", reader: "r" }]), [3]);
    assert.equal(await reopened.find("a", "p", 2), 2);
    // The body is gone, so any body is a duplicate; and with it the time.
    assert.deepEqual(await commitAppend(reopened, append("a", "p", 2, "other")), {
      status: "duplicate",
      seq: 2,
      time: 0,
    });
    assert.equal((await commitAppend(reopened, append("a", "p", 9, "9"))).seq, 9);
    assert.deepEqual(shown(await reopened.read("a", 0, everything)), ["9:9"]);
  });

  check("trim beside commits leaves a log without a hole", async (store) => {
    const work: Promise<unknown>[] = [];
    for (let n = 1; n <= 120; n++) {
      work.push(commitAppends(store, append("a", "p", n, `${n}`)));
      if (n % 10 === 0) work.push(store.trim("a", n - 5));
    }
    await Promise.all(work);
    assert.deepEqual(shown(await store.read("a", 0, everything)), [
      "116:116",
      "117:117",
      "118:118",
      "119:119",
      "120:120",
    ]);
  });
}
