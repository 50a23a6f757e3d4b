import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "../src/simulate.ts";

test("the same seed is the same world, frame by frame", async () => {
  for (const seed of [1, 2, 3]) {
    const runs: string[][] = [];
    for (let run = 0; run < 2; run++) {
      const lines: string[] = [];
      await simulate(seed, { trace: (line) => lines.push(line) });
      runs.push(lines);
    }
    const [one = [], other = []] = runs;
    assert.ok(one.length > 50, "something happens");
    assert.deepEqual(one, other);
  }
});

test("a mask leaves out what it names and nothing else", async () => {
  const whole = await simulate(5);
  assert.equal(whole.plan.actions.length, whole.plan.actionsDrawn);
  const none = await simulate(5, {
    mask: { actions: [], devices: undefined, without: new Set(), steps: undefined },
  });
  assert.equal(none.plan.actions.length, 0);
  assert.deepEqual(none.plan.devices, whole.plan.devices);
  const short = await simulate(5, {
    mask: { actions: undefined, devices: undefined, without: new Set(), steps: 100 },
  });
  assert.equal(short.steps, 100);
});
