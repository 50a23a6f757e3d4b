import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../src/measure/timeline.ts";
import { recovered } from "../src/scenario/crash.ts";

test("a timeline counts by slices and finds the longest gap", () => {
  const timeline = new Timeline(1000, 500, 100);
  for (const ms of [1010, 1020, 1150, 1420]) timeline.stored(ms);
  timeline.received(1030, 20);
  timeline.received(1460, 310);
  const series = timeline.series();
  assert.deepEqual(series.stored, [2, 1, 0, 0, 1]);
  assert.deepEqual(series.received, [1, 0, 0, 0, 1]);
  assert.deepEqual(series.p99[2], null);
  assert.ok(Math.abs((series.p99[0] ?? 0) - 20) < 0.3);
  assert.equal(timeline.gapMs, 270);
  assert.equal(timeline.gapStartMs, 150);
});

test("a gap that ends after the last slice counts whole", () => {
  const timeline = new Timeline(0, 200, 100);
  timeline.stored(50);
  timeline.stored(900);
  assert.equal(timeline.gapMs, 850);
  assert.deepEqual(timeline.series().stored, [1, 0]);
});

test("recovered is the first slice with half of the throughput, once the server listens again", () => {
  const nothing = { received: [], p50: [], p99: [] };
  const series = { bucketMs: 100, stored: [10, 10, 10, 8, 0, 0, 2, 6, 10], ...nothing };
  assert.equal(recovered({ series, killedMs: 310, listeningMs: 600 }), 700);
  assert.equal(recovered({ series, killedMs: 310, listeningMs: 900 }), null);
});
