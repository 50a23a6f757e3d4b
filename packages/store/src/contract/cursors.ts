import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@hongyan/core";
import {
  append,
  batch,
  bytes,
  commitAdvances,
  hostile,
  type OpenStore,
  type Subject,
  withStore,
} from "./subject.ts";

export function cursorContract(open: OpenStore): void {
  const check = (title: string, work: (store: Store, subject: Subject) => Promise<void>): void => {
    test(title, () => withStore(open, work));
  };

  check("G5 cursors go forward and never back", async (store, subject) => {
    const positionAfter = async (...positions: number[]): Promise<number | undefined> => {
      await commitAdvances(store, ...positions.map((position) => ({ log: "a", reader: "r", position })));
      return (await store.positions([{ log: "a", reader: "r" }]))[0];
    };
    assert.equal(await positionAfter(5), 5);
    assert.equal(await positionAfter(3), 5);
    assert.equal(await positionAfter(6, 9, 7), 9);
    assert.equal(await positionAfter(0), 9);
    const reopened = (await subject.reopen?.()) ?? store;
    await commitAdvances(reopened, { log: "a", reader: "r", position: 8 });
    assert.deepEqual(await reopened.positions([{ log: "a", reader: "r" }]), [9]);
  });

  check("G5 concurrent advances end at the highest", async (store) => {
    await Promise.all(
      [4, 9, 1, 30, 2, 29].map((position) => commitAdvances(store, { log: "a", reader: "r", position })),
    );
    assert.deepEqual(await store.positions([{ log: "a", reader: "r" }]), [30]);
  });

  check("positions answers each pair in order, 0 where there is no cursor", async (store) => {
    await commitAdvances(
      store,
      { log: "a", reader: "r", position: 2 },
      { log: "b", reader: "r", position: 3 },
    );
    const of = [
      ["b", "r"],
      ["a", "none"],
      ["a", "r"],
      ["none", "r"],
    ].map(([log, reader]) => ({
      log: log as string,
      reader: reader as string,
    }));
    assert.deepEqual(await store.positions(of), [3, 0, 2, 0]);
    assert.deepEqual(await store.positions([]), []);
  });

  check("a position may be above the head, and one of 0 is no cursor", async (store) => {
    await commitAdvances(
      store,
      { log: "a", reader: "r", position: Number.MAX_SAFE_INTEGER },
      { log: "a", reader: "0", position: 0 },
    );
    assert.deepEqual(await store.readers("a", "", 10), [{ reader: "r", position: Number.MAX_SAFE_INTEGER }]);
    assert.deepEqual(await store.heads(["a"]), [0]);
  });

  check("G10 readers lists the cursors of one log in byte order, in pages", async (store) => {
    const names = hostile.filter((name) => name !== "");
    for (const log of hostile) {
      await commitAdvances(store, ...hostile.map((reader, i) => ({ log, reader, position: i + 1 })));
    }
    const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const log of hostile) {
      const seen: string[] = [];
      for (;;) {
        const page = await store.readers(log, seen.at(-1) ?? "", 4);
        for (const { reader, position } of page) assert.equal(position, hostile.indexOf(reader) + 1);
        seen.push(...page.map(({ reader }) => reader));
        if (page.length < 4) break;
      }
      assert.deepEqual(seen, sorted);
    }
    assert.deepEqual(await store.readers("none", "", 4), []);
    assert.deepEqual(await store.readers("a", "", 0), []);
    assert.equal((await store.positions([{ log: "a", reader: "" }]))[0], 1);
  });

  check("G1 appends, advances and puts of one batch land together", async (store, subject) => {
    await store.commit(
      batch({
        appends: [append("a", "p", 1, "x")],
        advances: [{ log: "a", reader: "r", position: 1 }],
        puts: [{ key: "k", value: bytes("v") }],
      }),
    );
    const reopened = (await subject.reopen?.()) ?? store;
    assert.deepEqual(await reopened.heads(["a"]), [1]);
    assert.deepEqual(await reopened.positions([{ log: "a", reader: "r" }]), [1]);
    assert.equal((await reopened.records(["k"]))[0]?.version, 1);
  });
}
