import assert from "node:assert/strict";
import { test } from "node:test";
import { type Disk, EmbeddedStore } from "@hongyan/store/embedded";
import { append, bodies, bodiesTo, commit, until } from "./data.ts";
import { FaultyKeyValue } from "./faulty-key-value.ts";
import { MemoryKeyValue } from "./memory-key-value.ts";

/** A store on a disk that can be broken and repaired; attempts to come back happen when the test says so. */
async function world() {
  const { pairs } = new MemoryKeyValue();
  let disk = new FaultyKeyValue(new MemoryKeyValue(pairs));
  let broken = false;
  let attempts = 0;
  let nextFault: "none" | "refused" = "none";
  const waits: { ms: number; go: () => void }[] = [];
  const recovery: Disk = {
    async probe() {
      attempts++;
      if (broken) throw new Error("still full");
    },
    async reopen() {
      disk = new FaultyKeyValue(new MemoryKeyValue(pairs));
      disk.fault = nextFault;
      return disk;
    },
  };
  const delay = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      waits.push({ ms, go: resolve });
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const store = await EmbeddedStore.over(disk, { disk: recovery, delay, createEpoch: () => "epoch" });
  return {
    store,
    waits,
    pairs,
    get disk() {
      return disk;
    },
    get attempts() {
      return attempts;
    },
    break(fault: "refused" | "torn") {
      broken = true;
      disk.fault = fault;
    },
    /** The probe finds nothing wrong from now on; what is opened has the fault that is given. */
    repair(fault: "none" | "refused" = "none") {
      broken = false;
      nextFault = fault;
    },
    /** One attempt to come back. */
    async attempt() {
      await until(() => waits.length > 0);
      waits.shift()?.go();
      const target = attempts + 1;
      await until(() => attempts >= target);
    },
  };
}

for (const fault of ["refused", "torn"] as const) {
  test(`G1 G2 a write that fails (${fault}): rejected, nothing acknowledged after it, and service returns by itself`, async () => {
    const there = await world();
    const { store } = there;
    await commit(store, append("a", 1));
    await store.commit({ appends: [], advances: [{ log: "a", reader: "r", position: 1 }], puts: [] });
    there.break(fault);
    const failing = [commit(store, append("a", 2)), commit(store, append("b", 1))];
    for (const one of failing) await assert.rejects(one, { code: "failed", message: /no space left/ });

    // Not even a duplicate is answered while the disk is in doubt, and reads go on.
    const writes = there.disk.writes;
    await assert.rejects(commit(store, append("a", 1)), { code: "failed" });
    await assert.rejects(commit(store), { code: "failed" }, "an empty batch is how a caller asks");
    await assert.rejects(store.trim("a", 1), { code: "failed" });
    assert.equal(there.disk.writes, writes);
    assert.equal((await bodies(store, "a"))[0], "body 1");

    // Attempts with growing pauses, while reads go on.
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      await until(() => there.waits.length > 0);
      pauses.push(there.waits[0]?.ms ?? 0);
      await there.attempt();
    }
    assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    assert.equal((await bodies(store, "a"))[0], "body 1");

    there.repair();
    await there.attempt();
    await until(() => store.statistics.recoveries === 1);
    // The outcome of the failed commit was open: it is found whole, or not at all.
    const survived = fault === "torn";
    assert.deepEqual(await store.heads(["a", "b"]), survived ? [2, 1] : [1, 0]);
    const again = await commit(store, append("a", 2), append("a", 3), append("b", 1));
    assert.deepEqual(
      again.map(({ status, seq }) => `${status} ${seq}`),
      survived ? ["duplicate 2", "stored 3", "duplicate 1"] : ["stored 2", "stored 3", "stored 1"],
    );
    assert.deepEqual(await bodies(store, "a"), bodiesTo(3));
    assert.deepEqual(await store.positions([{ log: "a", reader: "r" }]), [1]);
    assert.equal(store.statistics.writeFailures, 1);
    await store.close();
  });
}

test("G1 a disk that takes the probe but no write keeps the store out of service", async () => {
  const there = await world();
  const { store } = there;
  await commit(store, append("a", 1));
  there.break("refused");
  await assert.rejects(commit(store, append("a", 2)), { code: "failed" });
  // What is opened refuses writes as well: the store must not believe the probe alone.
  there.repair("refused");
  await there.attempt();
  await until(() => there.waits.length > 0);
  assert.equal(store.statistics.recoveries, 0);
  await assert.rejects(commit(store, append("a", 2)), { code: "failed" });
  await assert.rejects(store.heads(["a"]), { code: "failed" });
  there.repair();
  await there.attempt();
  await until(() => store.statistics.recoveries === 1);
  assert.equal((await commit(store, append("a", 2)))[0]?.seq, 2);
  await store.close();
});

test("other data under the same name are not taken for ours", async () => {
  const there = await world();
  const { store } = there;
  await commit(store, append("a", 1));
  there.break("refused");
  await assert.rejects(commit(store, append("a", 2)), { code: "failed" });
  for (const key of [...there.pairs.keys()]) there.pairs.delete(key);
  there.repair();
  await there.attempt();
  await until(() => there.waits.length > 0);
  assert.equal(store.statistics.recoveries, 0);
  await assert.rejects(commit(store, append("a", 1)), { code: "failed" });
  await store.close();
});

test("a failed store can be closed", async () => {
  const there = await world();
  await commit(there.store, append("a", 1));
  there.break("refused");
  await assert.rejects(commit(there.store, append("a", 2)), { code: "failed" });
  await until(() => there.waits.length > 0);
  await there.store.close();
  await assert.rejects(commit(there.store, append("a", 2)), { code: "closed" });
  assert.equal(there.attempts, 0);
});

test("a read that fails rejects its commit, and the next one is served", async () => {
  const disk = new FaultyKeyValue(new MemoryKeyValue());
  const store = await EmbeddedStore.over(disk, { cacheBytesMax: 0 });
  await commit(store, append("a", 1));
  const { getMany } = disk;
  disk.getMany = () => Promise.reject(new Error("EIO: i/o error"));
  await assert.rejects(commit(store, append("a", 2)), /EIO/);
  disk.getMany = getMany;
  assert.equal((await commit(store, append("a", 2)))[0]?.seq, 2);
  await store.close();
});
