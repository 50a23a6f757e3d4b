import assert from "node:assert/strict";
import { test } from "node:test";
import { linear, logarithmic, tickText } from "../src/page/scale.ts";

test("a linear axis begins at 0 and ends at a round number above the largest value", () => {
  const { at, ticks } = linear(1234, 100, 600);
  assert.deepEqual(ticks, [0, 500, 1000, 1500]);
  assert.equal(at(0), 100);
  assert.equal(at(1500), 600);
});

test("a logarithmic axis holds all values, with more ticks where it spans little", () => {
  const wide = logarithmic(0.3, 44_000, 0, 100);
  assert.deepEqual(wide.ticks, [1, 10, 100, 1000, 10_000]);
  const narrow = logarithmic(3, 30, 0, 100);
  assert.deepEqual(narrow.ticks, [2, 5, 10, 20, 50]);
  for (const value of [3, 30]) assert.ok(narrow.at(value) >= 0 && narrow.at(value) <= 100);
  assert.equal(narrow.at(2), 0);
});

test("ticks are short", () => {
  assert.deepEqual([0, 0.5, 1500, 25_000, 1_500_000].map(tickText), ["0", "0.5", "1,500", "25k", "1.5M"]);
});
