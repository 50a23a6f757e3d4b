import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "../src/process/clock.ts";
import { systemRandom } from "../src/process/random.ts";

test("deferred work runs in order at the end of the tick, all of it in one turn", async () => {
  const clock = systemClock();
  const seen: number[] = [];
  for (const n of [1, 2, 3]) clock.defer(() => seen.push(n));
  await Promise.resolve();
  assert.deepEqual(seen, []);
  await nextTurn();
  assert.deepEqual(seen, [1, 2, 3]);
});

test("work that is deferred by deferred work waits for the next tick", async () => {
  const clock = systemClock();
  const seen: string[] = [];
  clock.defer(() => {
    clock.defer(() => seen.push("second"));
    seen.push("first");
  });
  await nextTurn();
  assert.deepEqual(seen, ["first"]);
  await nextTurn();
  assert.deepEqual(seen, ["first", "second"]);
});

test("one that throws does not take the others along", async (t) => {
  const clock = systemClock();
  const seen: string[] = [];
  // The runner ends a test on an uncaught exception; this one is expected.
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  t.after(() => {
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  const thrown = once(process, "uncaughtException");
  clock.defer(() => {
    clock.defer(() => seen.push("third"));
    throw new Error("boom");
  });
  clock.defer(() => seen.push("second"));
  const [error] = await thrown;
  assert.match(String(error), /boom/);
  await nextTurn();
  await nextTurn();
  assert.deepEqual(seen, ["second", "third"]);
});

test("ids are 22 characters and differ", () => {
  const ids = Array.from({ length: 1000 }, () => systemRandom.id());
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[\w-]{22}$/);
});
