import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "@hongyan/core";
import { MemoryStore } from "@hongyan/core/memory";
import { storeContract } from "@hongyan/store/contract";
import { MovableStore } from "@hongyan/store/copy";

storeContract("MovableStore", async () => {
  const store = new MovableStore(new MemoryStore());
  return { store, dispose: () => store.close() };
});
storeContract("MovableStore that is watched", async () => {
  const store = new MovableStore(new MemoryStore());
  await store.watch();
  return { store, dispose: () => store.close() };
});

function entry(number: number): Batch {
  const append = { log: "l", producer: "np", number, time: 1, body: Buffer.from(`${number}`) };
  return { appends: [append], advances: [{ log: "l", reader: "r", position: number }], puts: [] };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

async function held(options = {}): Promise<MovableStore> {
  const store = new MovableStore(new MemoryStore(), options);
  await store.watch();
  store.hold();
  return store;
}

test("G3 writes that wait go on in order, in the store that has the data then; reads do not wait", async () => {
  const store = await held();
  const waiting = [1, 2, 3].map((n) => store.commit(entry(n)));
  const trimmed = store.trim("l", 1);
  assert.equal(await isSettled(Promise.race([...waiting, trimmed])), false);
  assert.deepEqual(await store.heads(["l"]), [0]);
  const other = new MemoryStore();
  store.switchTo(other);
  const outcomes = await Promise.all(waiting);
  assert.deepEqual(
    outcomes.map(({ appends }) => appends[0]?.seq),
    [1, 2, 3],
  );
  await trimmed;
  assert.deepEqual(await other.heads(["l"]), [3]);
  assert.equal((await store.read("l", 0, { count: 9, bytes: 99 })).length, 2);
  await store.close();
});

test("writes that wait go on where they were when it is given up", async () => {
  const store = await held();
  const waiting = store.commit(entry(1));
  store.unwatch();
  assert.equal((await waiting).appends[0]?.seq, 1);
  assert.deepEqual(await store.heads(["l"]), [1]);
  await store.watch();
});

test("G9 what waits is bounded in bytes; a refusal reaches all of it, and whatever comes after", async () => {
  const store = await held({ heldBytesMax: 2_000 });
  const waiting = Array.from({ length: 10 }, (_, n) => store.commit(entry(n)));
  const settled = Promise.allSettled(waiting);
  store.refuse(new Error("moved away"));
  const reasons = (await settled).map((one) => one.status === "rejected" && String(one.reason));
  assert.deepEqual(reasons.slice(0, 3), Array(3).fill("Error: moved away"));
  assert.deepEqual(reasons.slice(3), Array(7).fill("StoreError: More than 2000 bytes wait"));
  await assert.rejects(store.commit(entry(1)), /moved away/);
  store.unwatch();
  await assert.rejects(store.trim("l", 1), /moved away/);
});

test("what is written is noted once it has settled; nobody waits for a store that is closed", async () => {
  const store = new MovableStore(new MemoryStore());
  const changes = await store.watch();
  await store.commit(entry(1));
  await store.trim("other", 1);
  const { logs, cursors } = changes.take();
  assert.deepEqual(logs, ["l", "other"]);
  assert.deepEqual(cursors, [{ log: "l", reader: "r" }]);
  await assert.rejects(store.watch(), /being moved already/);
  store.hold();
  const waiting = store.commit(entry(2));
  await Promise.all([store.close(), assert.rejects(waiting, { code: "closed" })]);
});
