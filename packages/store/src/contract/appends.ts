import assert from "node:assert/strict";
import { test } from "node:test";
import type { Append } from "@hongyan/core";
import {
  append,
  batch,
  bodies,
  bytes,
  commitAppend,
  commitAppends,
  everything,
  hostile,
  type OpenStore,
  shown,
  withStore,
} from "./subject.ts";

export function appendContract(open: OpenStore): void {
  const check = (title: string, work: Parameters<typeof withStore>[1]): void => {
    test(title, () => withStore(open, work));
  };

  check("G3 seqs of a log are contiguous from 1, in batch order, over commits and logs", async (store) => {
    const first = await commitAppends(
      store,
      append("a", "p", 1, "1"),
      append("b", "p", 1, "x"),
      append("a", "q", 1, "2"),
    );
    assert.deepEqual(first.appends, [
      { status: "stored", seq: 1, time: 1001 },
      { status: "stored", seq: 1, time: 1001 },
      { status: "stored", seq: 2, time: 1001 },
    ]);
    assert.equal((await commitAppend(store, append("a", "p", 2, "3"))).seq, 3);
    assert.deepEqual(shown(await store.read("a", 0, everything)), ["1:1", "2:2", "3:3"]);
    assert.deepEqual(shown(await store.read("b", 0, everything)), ["1:x"]);
  });

  check("G2 a duplicate answers the first seq and time, and takes no number", async (store) => {
    await commitAppend(store, append("a", "p", 1, "one", { time: 5 }));
    const again = await commitAppend(store, append("a", "p", 1, "one", { time: 99 }));
    assert.deepEqual(again, { status: "duplicate", seq: 1, time: 5 });
    assert.equal((await commitAppend(store, append("a", "p", 2, "two"))).seq, 2);
  });

  check("G2 one batch may hold a key twice", async (store) => {
    const { appends } = await commitAppends(
      store,
      append("a", "p", 1, "one"),
      append("a", "p", 1, "one"),
      append("a", "p", 2, "two"),
      append("a", "p", 1, "other"),
    );
    assert.deepEqual(
      appends.map(({ status, seq }) => `${status} ${seq}`),
      ["stored 1", "duplicate 1", "stored 2", "conflict 1"],
    );
    assert.deepEqual(await bodies(store, "a"), ["one", "two"]);
  });

  check("G2 the same key with another body is a conflict, and nothing is written", async (store) => {
    await commitAppend(store, append("a", "p", 1, "one", { time: 7 }));
    for (const other of ["two", "", "one ", "on"]) {
      assert.deepEqual(await commitAppend(store, append("a", "p", 1, other)), {
        status: "conflict",
        seq: 1,
        time: 7,
      });
    }
    assert.deepEqual(await bodies(store, "a"), ["one"]);
  });

  check("G2 a resend 100 times, alone, together and concurrently, has 100 equal answers", async (store) => {
    for (let n = 1; n <= 40; n++) await commitAppend(store, append("a", "p", n, `${n}`));
    const resend = append("a", "p", 3, "3");
    const outcomes = (
      await commitAppends(store, ...Array.from({ length: 34 }, () => resend))
    ).appends.slice();
    for (let i = 0; i < 33; i++) outcomes.push(await commitAppend(store, resend));
    outcomes.push(...(await Promise.all(Array.from({ length: 33 }, () => commitAppend(store, resend)))));
    assert.equal(outcomes.length, 100);
    for (const outcome of outcomes) assert.deepEqual(outcome, { status: "duplicate", seq: 3, time: 1003 });
    assert.deepEqual(await store.heads(["a"]), [40]);
  });

  check("G2 old keys of many producers are known, in whatever order numbers came", async (store) => {
    const numbers = [5, 1, 900, 64, 65, 2, 33, 32, 31, 1_000_000, 0, 7, Number.MAX_SAFE_INTEGER, 34, 96, 3];
    const appends: Append[] = [];
    for (const number of numbers) {
      for (let p = 0; p < 30; p++)
        appends.push(append("a", `producer ${p}`, number, `${p}/${number}`, { time: 9 }));
    }
    const seqs = new Map<Append, number>();
    for (let i = 0; i < appends.length; i += 50) {
      const part = appends.slice(i, i + 50);
      const stored = await commitAppends(store, ...part);
      for (const [j, one] of part.entries()) {
        assert.equal(stored.appends[j]?.status, "stored");
        seqs.set(one, i + j + 1);
      }
    }
    for (const order of [appends, appends.toReversed()]) {
      const again = await commitAppends(store, ...order);
      for (const [i, outcome] of again.appends.entries()) {
        assert.deepEqual(outcome, { status: "duplicate", seq: seqs.get(order[i] as Append), time: 9 });
      }
    }
    for (const [{ producer, number }, seq] of seqs)
      assert.equal(await store.find("a", producer, number), seq);
    assert.deepEqual(await store.heads(["a"]), [appends.length]);
  });

  check(
    "G2 keys belong to (log, producer): neither logs nor producers run into each other",
    async (store) => {
      const appends = hostile.flatMap((log) =>
        hostile.filter((id) => id !== "").map((producer) => append(log, producer, 1, `${log}|${producer}`)),
      );
      const stored = await commitAppends(store, ...appends);
      assert.ok(stored.appends.every(({ status }) => status === "stored"));
      const again = await commitAppends(store, ...appends);
      assert.ok(
        again.appends.every(({ status, seq }, i) => status === "duplicate" && seq === stored.appends[i]?.seq),
      );
      for (const log of hostile) {
        assert.deepEqual(
          await bodies(store, log),
          hostile.filter((id) => id !== "").map((producer) => `${log}|${producer}`),
        );
      }
    },
  );

  check("an empty producer has no key: every append is a new entry", async (store) => {
    const { appends } = await commitAppends(store, append("a", "", 1, "same"), append("a", "", 1, "same"));
    assert.deepEqual(
      appends.map(({ status, seq }) => `${status} ${seq}`),
      ["stored 1", "stored 2"],
    );
    assert.equal((await commitAppend(store, append("a", "", 1, "same"))).seq, 3);
    assert.equal(await store.find("a", "", 1), undefined);
  });

  check("find answers the seq of a key, or undefined", async (store) => {
    await commitAppends(store, append("a", "p", 1, "x"), append("a", "p", 4, "y"), append("a", "id", 0, "z"));
    assert.equal(await store.find("a", "p", 4), 2);
    assert.equal(await store.find("a", "id", 0), 3);
    for (const [log, producer, number] of [
      ["a", "p", 2],
      ["a", "p", 0],
      ["a", "q", 1],
      ["a", "id", 1],
      ["b", "p", 1],
    ] as const) {
      assert.equal(await store.find(log, producer, number), undefined);
    }
  });

  check("an append whose guard did not land is refused and takes no number", async (store) => {
    const puts = [
      { key: "k", value: bytes("1"), expect: 0 },
      { key: "other", value: bytes("1"), expect: 3 },
    ];
    const { appends } = await store.commit(
      batch({
        puts,
        appends: [append("a", "p", 1, "no", { guard: 1 }), append("a", "p", 2, "yes", { guard: 0 })],
      }),
    );
    assert.deepEqual(appends, [
      { status: "refused", seq: 0, time: 0 },
      { status: "stored", seq: 1, time: 1002 },
    ]);
    assert.equal(await store.find("a", "p", 1), undefined);
    assert.equal((await commitAppend(store, append("a", "p", 1, "now"))).seq, 2);
  });

  check(
    "G3 a put that depends on the head of a log lands only there, also among concurrent ones",
    async (store) => {
      await commitAppends(store, append("a", "p", 1, ""), append("a", "p", 2, ""));
      const change = (key: string, seq: number, log = "a") =>
        store.commit(
          batch({
            puts: [{ key, value: bytes(`${seq + 1}`), head: { log, seq } }],
            appends: [append(log, "", 0, key, { guard: 0 })],
          }),
        );
      const late = await change("late", 1);
      assert.deepEqual([late.puts, late.appends.map(({ status }) => status)], [[undefined], ["refused"]]);
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => change(`k${i}`, 2)));
      const landed = outcomes.filter(({ puts }) => puts[0] !== undefined);
      assert.deepEqual(
        landed.map(({ appends }) => appends[0]?.seq),
        [3],
      );
      assert.equal((await store.list("k", "", 100)).length, 1);
      assert.equal((await change("first", 0, "empty")).appends[0]?.seq, 1);
      await assert.rejects(
        store.commit(batch({ puts: [{ key: "k", value: bytes(""), head: { log: "a", seq: 3 } }] })),
        TypeError,
      );
    },
  );

  check("a batch of many logs, and bodies of every size, come back as they were", async (store) => {
    const sizes = [0, 1, 127, 128, 65_535, 65_536, 65_537, 1_000_000];
    const appends = sizes.flatMap((size, i) =>
      ["a", "b"].map((log) => ({ ...append(log, "p", i + 1, ""), body: new Uint8Array(size).fill(i + 1) })),
    );
    await commitAppends(store, ...appends);
    for (const log of ["a", "b"]) {
      const entries = await store.read(log, 0, everything);
      assert.deepEqual(
        entries.map(({ seq, time, body }) => [seq, time, body.length, body.every((byte) => byte === seq)]),
        sizes.map((size, i) => [i + 1, 1001 + i, size, true]),
      );
    }
  });

  check("a stored body does not change when the caller uses its memory again", async (store) => {
    const body = bytes("before");
    await commitAppend(store, { ...append("a", "p", 1, ""), body });
    body.set(bytes("AFTER!"));
    assert.deepEqual(await bodies(store, "a"), ["before"]);
  });

  check("G2 G3 concurrent commits take effect one after another", async (store) => {
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        commitAppends(
          store,
          append("a", `p${i % 7}`, 1 + Math.floor(i / 14), `${i % 7}/${Math.floor(i / 14)}`),
          append("b", "", 0, `${i}`),
        ),
      ),
    );
    const stored = outcomes.filter(({ appends }) => appends[0]?.status === "stored");
    const distinct = new Set(Array.from({ length: 300 }, (_, i) => `${i % 7}/${Math.floor(i / 14)}`));
    assert.equal(stored.length, distinct.size);
    assert.deepEqual(new Set(await bodies(store, "a")), distinct);
    assert.deepEqual(
      (await bodies(store, "b")).map(Number),
      Array.from({ length: 300 }, (_, i) => i),
    );
    assert.deepEqual(await store.heads(["a", "b"]), [distinct.size, 300]);
  });

  check("a batch that no store could carry out is refused whole", async (store) => {
    const good = append("a", "p", 1, "good");
    for (const bad of [
      append("a", "p", -1, ""),
      append("a", "p", 1.5, ""),
      append("a", "p", Number.NaN, ""),
      append("a", "p", 1, "", { time: 0.5 }),
      append("a", "p", 1, "", { guard: 0 }),
      append("a", "lone \ud800", 1, ""),
      append("lone \udc00", "p", 1, ""),
      append("a", "p".repeat(100_000), 1, ""),
    ]) {
      await assert.rejects(commitAppends(store, good, bad), TypeError);
    }
    assert.deepEqual(await store.heads(["a"]), [0]);
  });
}
