import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf, powerOf } from "../src/measure/fit.ts";

test("a line through points has their slope and what they begin with", () => {
  const { slope, intercept } = lineOf([2500, 5000, 10_000, 15_000].map((x) => ({ x, y: 80e6 + 4200 * x })));
  assert.ok(Math.abs(slope - 4200) < 1e-6);
  assert.ok(Math.abs(intercept - 80e6) < 1);
});

test("a cost that is constant, linear or quadratic has the exponent 0, 1 or 2", () => {
  for (const exponent of [0, 1, 2]) {
    const points = [10, 100, 1000, 10_000].map((x) => ({ x, y: 3 * x ** exponent }));
    assert.ok(Math.abs(powerOf(points).exponent - exponent) < 1e-9);
    assert.ok(Math.abs(powerOf(points).factor - 3) < 1e-9);
  }
});

test("one place is not enough for a line", () => {
  assert.throws(() => lineOf([{ x: 1, y: 1 }]), /two places/);
});
