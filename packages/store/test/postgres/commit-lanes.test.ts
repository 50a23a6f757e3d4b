import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, CommitOutcome } from "@hongyan/core";
import { CommitLanes } from "../../src/postgres/commit-lanes.ts";
import { append, until } from "../data.ts";

interface Group {
  readonly lane: number;
  readonly batches: readonly Batch[];
  readonly done: () => void;
}

/** Lanes whose groups end when the test says so. */
function heldLanes(): { readonly lanes: CommitLanes; readonly groups: Group[] } {
  const groups: Group[] = [];
  const lanes = new CommitLanes({
    count: 4,
    bytesMax: 1_000_000,
    commitGroup: (lane, batches) =>
      new Promise<CommitOutcome[]>((resolve) => {
        groups.push({ lane, batches, done: () => resolve(batches.map(() => ({ appends: [], puts: [] }))) });
      }),
  });
  return { lanes, groups };
}

function writing(...logs: string[]): Batch {
  return { appends: logs.map((log) => append(log, 1)), advances: [], puts: [] };
}

const logsOf = ({ batches }: Group): string[] =>
  batches.map(({ appends }) => appends.map(({ log }) => log).join("+"));

/** One log of each lane, found by asking. */
async function oneOfEachLane(): Promise<string[]> {
  const found = new Map<number, string>();
  for (let i = 0; found.size < 4; i++) {
    const { lanes, groups } = heldLanes();
    const settled = lanes.commit(writing(`log ${i}`));
    await until(() => groups.length === 1);
    found.set(groups[0]?.lane ?? -1, `log ${i}`);
    groups[0]?.done();
    await settled;
  }
  return [...found.keys()].sort().map((lane) => found.get(lane) as string);
}

test("batches of different lanes run side by side; what comes for a busy lane is its next group", async () => {
  const [a, b] = (await oneOfEachLane()) as [string, string];
  const { lanes, groups } = heldLanes();
  const all = [a, b, a, a, b].map((log) => lanes.commit(writing(log)));
  await until(() => groups.length === 2);
  assert.deepEqual(groups.map(logsOf), [
    [a, a, a],
    [b, b],
  ]);
  all.push(...[a, b, a].map((log) => lanes.commit(writing(log))));
  groups[1]?.done();
  await until(() => groups.length === 3);
  assert.deepEqual(logsOf(groups[2] as Group), [b]);
  groups[0]?.done();
  await until(() => groups.length === 4);
  assert.deepEqual(logsOf(groups[3] as Group), [a, a]);
  for (const { done } of groups) done();
  await Promise.all(all);
  await lanes.idle();
});

test("G3 a batch over several lanes is one group, after what came before it and before what came after it", async () => {
  const [a, b, c] = (await oneOfEachLane()) as [string, string, string];
  const { lanes, groups } = heldLanes();
  const all = [lanes.commit(writing(a))];
  await until(() => groups.length === 1);
  // `b` is free, but was asked for by the batch that waits for `a`: what came later must not overtake it.
  all.push(lanes.commit(writing(a, b)), lanes.commit(writing(b)), lanes.commit(writing(c)));
  await until(() => groups.length === 2);
  assert.deepEqual(logsOf(groups[1] as Group), [c]);
  groups[0]?.done();
  await until(() => groups.length === 3);
  assert.deepEqual(logsOf(groups[2] as Group), [`${a}+${b}`, b]);
  for (const { done } of groups) done();
  await Promise.all(all);
});

test("a large batch that may be committed in parts is one group in each lane, and is done when all are", async () => {
  const logs = await oneOfEachLane();
  const { lanes, groups } = heldLanes();
  const many = Array.from({ length: 160 }, (_, i) => append(logs[i % 4] as string, i));
  const whole = lanes.commit({ appends: many, advances: [], puts: [] });
  await until(() => groups.length === 1);
  groups[0]?.done();
  await whole;
  let isDone = false;
  const parts = lanes.commit({ appends: many, advances: [], puts: [], inParts: true });
  void parts.then(() => {
    isDone = true;
  });
  await until(() => groups.length === 5);
  for (const [at, log] of logs.entries())
    assert.deepEqual(logsOf(groups[at + 1] as Group), [Array(40).fill(log).join("+")]);
  for (const { done } of groups.slice(1, 4)) done();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isDone, false);
  groups[4]?.done();
  await parts;
});

test("a batch of nothing, and work on one log alone, wait for what was asked for before", async () => {
  const [a, b] = (await oneOfEachLane()) as [string, string];
  const { lanes, groups } = heldLanes();
  const order: string[] = [];
  const all: Promise<unknown>[] = [lanes.commit(writing(a)), lanes.commit(writing(b))];
  all.push(lanes.alone(a, async () => order.push("alone")));
  all.push(lanes.commit({ appends: [], advances: [], puts: [] }).then(() => order.push("nothing")));
  await until(() => groups.length === 2);
  groups[0]?.done();
  await until(() => order.length === 1);
  assert.equal(groups.length, 2);
  groups[1]?.done();
  await until(() => groups.length === 3);
  groups[2]?.done();
  await Promise.all(all);
  assert.deepEqual(order, ["alone", "nothing"]);
});
