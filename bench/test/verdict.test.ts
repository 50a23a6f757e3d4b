import assert from "node:assert/strict";
import { test } from "node:test";
import { rankTest } from "../src/compare/rank-test.ts";
import { compareRounds, comparisonTable } from "../src/compare/report.ts";
import { judge } from "../src/compare/verdict.ts";
import { quartileDistance } from "../src/measure/statistics.ts";
import { rowOf } from "../src/row.ts";

test("the rank test says what the tables of Mann and Whitney say", () => {
  const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-9, `${value}`);
  near(rankTest([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]), 2 / 252); // U = 0
  near(rankTest([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]), 4 / 252); // U = 1
  near(rankTest([1, 2, 3], [4, 5, 6]), 2 / 20);
  near(rankTest([1, 3, 5], [2, 4, 6]), 14 / 20);
  near(rankTest([7, 7, 7], [7, 7, 7]), 1);
  near(rankTest([], [1]), 1);
  near(rankTest([1, 2, 3, 4], [5, 6, 7, 8]), 2 / 70);
  // As far apart in either direction, and whichever comes first.
  near(rankTest([9, 8, 7, 6, 5], [1, 2, 3, 4, 5.5]), rankTest([1, 2, 3, 4, 5.5], [9, 8, 7, 6, 5]));
});

test("the distance of the quartiles leaves one outlier out", () => {
  assert.equal(quartileDistance([100, 101, 102, 103, 500]), 2);
  assert.equal(quartileDistance([5]), 0);
});

const base = [1000, 1010, 990, 1005, 995];

test("a figure is slower where every run is, by more than 3 % and more than the noise", () => {
  const slow = base.map((value) => value * 0.9);
  assert.equal(judge(base, slow, "more").verdict, "worse");
  assert.equal(judge(base, slow, "less").verdict, "better");
  assert.equal(judge(slow, base, "more").verdict, "better");
  assert.ok(Math.abs(judge(base, slow, "more").change + 0.1) < 1e-9);
});

test("what nobody would act on is no change, however sure", () => {
  const little = base.map((value) => value * 0.975);
  assert.ok(judge(base, little, "more").chance < 0.01);
  assert.equal(judge(base, little, "more").verdict, "same");
});

test("one run that something else has disturbed does not hide a change", () => {
  assert.equal(judge(base, [850, 860, 870, 880, 997], "more").verdict, "worse");
});

test("medians far apart whose runs overlap are neither the same nor slower", () => {
  assert.equal(judge(base, [700, 860, 870, 1002, 1003], "more").verdict, "unclear");
});

test("a difference within the noise of either side is none", () => {
  const noisy = [600, 700, 950, 1300, 1400];
  assert.ok(judge(noisy, [590, 595, 598, 599, 580], "more").baseNoise > 0.3);
  assert.equal(judge([1000, 1050, 1400, 1900, 2000], [700, 750, 980, 985, 990], "more").verdict, "same");
});

test("with three rounds nothing can be shown, and it says so", () => {
  assert.equal(judge([100, 101, 102], [50, 51, 52], "more").verdict, "unclear");
  assert.equal(judge([100, 101, 102, 103], [50, 51, 52, 53], "more").verdict, "worse");
  assert.equal(judge([100, 101, 102], [100, 101, 102], "more").verdict, "same");
});

test("of sides that do not differ, few comparisons call one worse", () => {
  // Xorshift: the same numbers every time.
  let state = 0x2545f491;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const run = () => 1000 * (1 + 0.3 * random());
  let worse = 0;
  for (let i = 0; i < 2000; i++) {
    const five = () => Array.from({ length: 5 }, run);
    if (judge(five(), five(), "more").verdict === "worse") worse++;
  }
  assert.ok(worse / 2000 < 0.02, `${worse} of 2000`);
});

test("rows are matched by scenario and variant, and told in words", () => {
  const row = (value: number, variant = "tcp", unit = "messages/s") =>
    rowOf({ scenario: "direct", variant, unit, better: "more", values: [value], note: "" });
  const rows = compareRounds({
    base: base.map((value) => [row(value)]),
    head: base.map((value) => [row(value * 0.8), row(value, "only in head")]),
  });
  assert.deepEqual(
    rows.map(({ variant, verdict }) => [variant, verdict]),
    [["tcp", "worse"]],
  );
  assert.match(comparisonTable(rows), /direct +tcp +messages\/s +1,000 +800 +−20\.0 % .*slower/);
});
