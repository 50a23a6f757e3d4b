import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "../../src/measure/histogram.ts";
import { rowsOf, type Sample } from "../../src/peers/sample.ts";
import type { System } from "../../src/peers/system/system.ts";

const system = { name: "snail", durable: true, acknowledgement: "stored" } as System;

function sample(...ms: number[]): Sample {
  const latencies = new Histogram();
  for (const one of ms) latencies.record(one);
  return {
    variant: "",
    value: 7,
    unit: "messages/s",
    better: "more",
    figures: {},
    latencies: latencies.percentiles(),
    note: "",
  };
}

test("a run in which nothing was both begun and done has no latency, and its row says so", () => {
  const [most] = rowsOf("direct", system, "1", [sample(), sample(5), sample(5)]);
  assert.ok(most?.p50 !== undefined && Math.abs(most.p50 - 5) < 0.1);
  assert.match(most.note, /latencies are longer than the time of measuring in some runs/);
  const [few] = rowsOf("direct", system, "1", [sample(), sample(), sample(5)]);
  assert.equal(few?.p50, undefined);
  assert.equal(few?.value, 7);
});
