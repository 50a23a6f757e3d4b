import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "../src/measure/histogram.ts";

test("percentiles are right within 1 % over eight orders of magnitude", () => {
  for (const scale of [0.01, 1, 100, 10_000, 1_000_000]) {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i++) histogram.record((i / 10_000) * scale);
    for (const share of [0.5, 0.9, 0.99, 0.999]) {
      const error = Math.abs(histogram.percentile(share) / (share * scale) - 1);
      // Below 0.1 ms the step of a microsecond is coarser than that.
      assert.ok(error < 0.02 + 0.002 / scale, `${share} of ${scale}: off by ${error}`);
    }
    assert.equal(histogram.percentiles().max, scale);
    assert.equal(histogram.count, 10_000);
  }
});

test("an empty histogram says 0, a negative latency counts as 0", () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentile(0.99), 0);
  histogram.record(-5);
  assert.ok(histogram.percentile(0.5) <= 0.001);
});
