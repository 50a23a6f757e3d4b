import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@hongyan/core";
import {
  append,
  batch,
  bodies,
  commitAppend,
  commitAppends,
  everything,
  type OpenStore,
  shown,
  withStore,
} from "./subject.ts";

export function lifeContract(open: OpenStore): void {
  test("after close every call is rejected, and close may be called again", () =>
    withStore(open, async (store) => {
      await commitAppend(store, append("a", "p", 1, "x"));
      await store.close();
      await store.close();
      const calls: (() => Promise<unknown>)[] = [
        () => store.commit(batch({})),
        () => store.read("a", 0, everything),
        () => store.readBack("a", 2, everything),
        () => store.heads(["a"]),
        () => store.find("a", "p", 1),
        () => store.trim("a", 1),
        () => store.positions([{ log: "a", reader: "r" }]),
        () => store.readers("a", "", 1),
        () => store.records(["k"]),
        () => store.list("", "", 1),
      ];
      for (const call of calls) await assert.rejects(call(), /closed/);
    }));

  test("commits that were asked for before close are carried out", () =>
    withStore(open, async (store, subject) => {
      const commits = Array.from({ length: 50 }, (_, i) =>
        commitAppends(store, append("a", "p", i + 1, `${i + 1}`)),
      );
      await store.close();
      await Promise.all(commits);
      const reopened = await subject.reopen?.();
      if (reopened !== undefined) assert.deepEqual(await reopened.heads(["a"]), [50]);
    }));

  test("an empty batch is committed", () =>
    withStore(open, async (store) =>
      assert.deepEqual(await store.commit(batch({})), { appends: [], puts: [] }),
    ));

  test("every store has an epoch of its own", () =>
    withStore(open, (one) =>
      withStore(open, async (other) => {
        assert.ok(one.epoch.length > 0);
        if (one.epoch !== "memory") assert.notEqual(one.epoch, other.epoch);
      }),
    ));

  test("G1 G2 G3 all of it is there after opening the data anew", (t) =>
    withStore(open, async (store: Store, { reopen }) => {
      if (reopen === undefined) return t.skip("not durable by design");
      for (let n = 1; n <= 70; n++)
        await commitAppends(store, append("a", "p", n, `${n}`), append("a", `id ${n}`, 0, `${n}.`));
      const reopened = await reopen();
      assert.equal(reopened.epoch, store.epoch);
      assert.equal((await bodies(reopened, "a")).length, 140);
      for (let n = 1; n <= 70; n++) {
        assert.equal((await commitAppend(reopened, append("a", "p", n, `${n}`))).seq, n * 2 - 1);
        assert.equal((await commitAppend(reopened, append("a", `id ${n}`, 0, `${n}.`))).seq, n * 2);
      }
      assert.equal((await commitAppend(reopened, append("a", "p", 71, "71"))).seq, 141);
      assert.deepEqual(shown(await reopened.readBack("a", 200, { count: 2, bytes: 1000 })), [
        "141:71",
        "140:70.",
      ]);
    }));
}
