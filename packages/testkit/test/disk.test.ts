import assert from "node:assert/strict";
import { test } from "node:test";
import { Disk } from "../src/disk/disk.ts";
import { Scheduler, settle } from "../src/scheduler.ts";
import { SeededRandom } from "../src/seeded-random.ts";

const value = new Uint8Array([1]);

function disk(seed: number, fail = 0): { scheduler: Scheduler; disk: Disk } {
  const scheduler = new Scheduler();
  return {
    scheduler,
    disk: new Disk(scheduler, new SeededRandom(`disk ${seed}`), { latencyMsMin: 1, latencyMsMax: 5, fail }),
  };
}

async function run(scheduler: Scheduler, until: number): Promise<void> {
  await settle();
  while (scheduler.step(until)) await settle();
}

test("a confirmed synchronous write survives a crash; one in flight is wholly there or not at all", async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const { scheduler, disk: one } = disk(seed);
    let isConfirmed = false;
    one.write(one.life, [{ key: "a", value }], true).then(() => {
      isConfirmed = true;
    });
    await run(scheduler, 20);
    assert.ok(isConfirmed);
    void one.write(
      one.life,
      [
        { key: "b", value },
        { key: "c", value },
      ],
      true,
    );
    one.crash();
    assert.ok(one.data.get("a") !== undefined);
    assert.equal(one.data.get("b") === undefined, one.data.get("c") === undefined, "torn");
    seen.add(one.data.get("b") === undefined ? "lost" : "there");
  }
  assert.equal(seen.size, 2, "both happen");
});

test("writes that were not synchronous may be lost, from the end", async () => {
  const kept = new Set<number>();
  for (let seed = 1; seed <= 50; seed++) {
    const { scheduler, disk: one } = disk(seed);
    for (const key of ["a", "b", "c"]) void one.write(one.life, [{ key, value }], false);
    await run(scheduler, 50);
    assert.equal(one.data.size, 3);
    one.crash();
    const left = ["a", "b", "c"].map((key) => one.data.get(key) !== undefined);
    assert.deepEqual(left, [...left].sort().reverse(), "a later write survived an earlier one");
    kept.add(one.data.size);
  }
  assert.equal(kept.size, 4);
});

test("after a failed write nothing is taken until the disk is opened anew, which may find it", async () => {
  const found = new Set<boolean>();
  for (let seed = 1; seed <= 50; seed++) {
    const { scheduler, disk: one } = disk(seed, 1);
    const failures: string[] = [];
    one.write(one.life, [{ key: "a", value }], true).catch(() => failures.push("a"));
    await run(scheduler, 20);
    assert.equal(one.data.get("a"), undefined);
    one.write(one.life, [{ key: "b", value }], true).catch(() => failures.push("b"));
    await run(scheduler, 40);
    assert.deepEqual(failures, ["a", "b"]);
    one.conditions = { ...one.conditions, fail: 0 };
    one.reopen();
    found.add(one.data.get("a") !== undefined);
    assert.equal(one.data.get("b"), undefined);
    let isConfirmed = false;
    one.write(one.life, [{ key: "c", value }], true).then(() => {
      isConfirmed = true;
    });
    await run(scheduler, 60);
    assert.ok(isConfirmed);
  }
  assert.equal(found.size, 2, "both happen");
});
