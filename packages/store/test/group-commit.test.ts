import assert from "node:assert/strict";
import { test } from "node:test";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { append, bodies, bodiesTo, commit, until } from "./data.ts";
import { FaultyKeyValue } from "./faulty-key-value.ts";
import { MemoryKeyValue } from "./memory-key-value.ts";

test("commits that arrive while one is written share the next write, each with its own outcome", async () => {
  const disk = new FaultyKeyValue(new MemoryKeyValue());
  const store = await EmbeddedStore.over(disk);
  await commit(store, append("a", 1));
  const before = disk.writes;
  const release = disk.hold();
  const first = commit(store, append("a", 2));
  await until(() => disk.writes === before + 1);
  const rest = [3, 4, 5, 3].map((n) => commit(store, append("a", n)));
  release();
  assert.equal((await first)[0]?.seq, 2);
  assert.deepEqual(
    (await Promise.all(rest)).map(([outcome]) => `${outcome?.status} ${outcome?.seq}`),
    ["stored 3", "stored 4", "stored 5", "duplicate 3"],
  );
  assert.equal(disk.writes, before + 2);
  assert.equal(store.statistics.writes, 3);
  assert.equal(store.statistics.commits, 6);
  assert.equal(store.statistics.appendsDuplicate, 1);
  await store.close();
});

test("commits of one tick share a write, also the first of them", async () => {
  const disk = new FaultyKeyValue(new MemoryKeyValue());
  const store = await EmbeddedStore.over(disk);
  const before = disk.writes;
  await Promise.all([1, 2, 3].map((n) => commit(store, append("a", n))));
  assert.equal(disk.writes, before + 1);
  await store.close();
});

test("G1 G3 nothing of a write shows, and no outcome leaves, before the disk has it", async () => {
  const disk = new FaultyKeyValue(new MemoryKeyValue());
  const store = await EmbeddedStore.over(disk);
  await commit(store, append("a", 1));
  const before = disk.writes;
  const release = disk.hold();
  let settled = false;
  const second = store
    .commit({ appends: [append("a", 2)], advances: [{ log: "a", reader: "r", position: 2 }], puts: [] })
    .then(() => {
      settled = true;
    });
  await until(() => disk.writes === before + 1);
  assert.deepEqual(await store.heads(["a"]), [1]);
  assert.deepEqual(await bodies(store, "a"), bodiesTo(1));
  assert.deepEqual(await store.positions([{ log: "a", reader: "r" }]), [0]);
  assert.equal(await store.find("a", "p", 2), undefined);
  assert.equal(settled, false);
  release();
  await second;
  assert.deepEqual(await store.heads(["a"]), [2]);
  assert.deepEqual(await store.positions([{ log: "a", reader: "r" }]), [2]);
  await store.close();
});

test("G9 more than the queue may hold is refused as overloaded; what was taken is committed", async () => {
  const disk = new FaultyKeyValue(new MemoryKeyValue());
  const store = await EmbeddedStore.over(disk, { queueBytesMax: 50_000 });
  const release = disk.hold();
  const commits = Array.from({ length: 100 }, (_, i) => commit(store, append("a", i + 1, "x".repeat(1000))));
  const results = Promise.allSettled(commits);
  release();
  const taken = (await results).filter(({ status }) => status === "fulfilled").length;
  assert.ok(taken > 20 && taken < 50, `${taken} of 100 were taken`);
  const refused = (await results).find((result) => result.status === "rejected");
  assert.equal(refused?.reason.code, "overloaded");
  assert.deepEqual(await store.heads(["a"]), [taken]);
  // Room again; and a batch above the bound is taken when nothing waits.
  assert.equal((await commit(store, append("a", 101, "y".repeat(100_000))))[0]?.status, "stored");
  await store.close();
});

test("rising numbers of known producers are committed without a read", async () => {
  const disk = new FaultyKeyValue(new MemoryKeyValue());
  const store = await EmbeddedStore.over(disk);
  await commit(store, append("a", 1));
  const before = disk.reads;
  for (let n = 2; n <= 100; n++) await commit(store, append("a", n));
  assert.equal(disk.reads, before);
  assert.equal(store.statistics.keyLookups, 0);
  await store.close();
});

test("a commit of one log writes one block and one state, and a chunk of keys only when one is full", async () => {
  const disk = new FaultyKeyValue(new MemoryKeyValue());
  const store = await EmbeddedStore.over(disk);
  const keysOf = (): string => disk.lastWrite.map(({ key }) => String.fromCharCode(key[0] ?? 0)).join("");
  await commit(store, ...Array.from({ length: 32 }, (_, i) => append("a", i + 1)));
  assert.equal(keysOf(), "ES");
  await commit(store, append("a", 33));
  assert.equal(keysOf(), "ESI");
  await commit(store, append("a", 34));
  assert.equal(keysOf(), "ES");
  // 100 bodies of 1,000 bytes: two blocks of at most 64 KiB.
  await commit(store, ...Array.from({ length: 100 }, (_, i) => append("b", i + 1, "x".repeat(1000))));
  assert.ok(keysOf().startsWith("EES"));
  await commit(store, append("b", 7, "x".repeat(1000)));
  assert.ok(keysOf().startsWith("EES"), "a duplicate writes nothing");
  await store.close();
});

test("the same key-value and the same commits leave the same bytes", async () => {
  const run = async (): Promise<Map<string, Uint8Array>> => {
    const keyValue = new MemoryKeyValue();
    const store = await EmbeddedStore.over(keyValue, { createEpoch: () => "epoch" });
    await Promise.all(Array.from({ length: 50 }, (_, i) => commit(store, append(`log ${i % 3}`, i + 1))));
    await store.close();
    return keyValue.pairs;
  };
  assert.deepEqual(await run(), await run());
});
