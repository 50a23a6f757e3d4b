import assert from "node:assert/strict";
import { test } from "node:test";
import { Figure } from "../src/growth/figure.ts";

const about = {
  axis: "members",
  measure: "send",
  unit: "µs CPU",
  expected: "constant",
  note: "how it is measured",
} as const;

function rowsOf(costOf: (size: number) => number, more: { slopeFrom?: number } = {}) {
  const figure = new Figure({ ...about, ...more });
  for (const size of [10, 100, 1000, 10_000, 100_000])
    for (const noise of [0.98, 1, 1.02]) figure.add(size, costOf(size) * noise);
  return figure.rows();
}

test("each size is a row with the median of its runs, and the slope is one more", () => {
  const rows = rowsOf(() => 20);
  assert.deepEqual(
    rows.map(({ size, value, unit, runs }) => [size, value, unit, runs]),
    [
      [10, 20, "µs CPU", 3],
      [100, 20, "µs CPU", 3],
      [1000, 20, "µs CPU", 3],
      [10_000, 20, "µs CPU", 3],
      [100_000, 20, "µs CPU", 3],
      [undefined, 0, "exponent", 5],
    ],
  );
  assert.equal(rows.at(-1)?.asExpected, true);
});

test("a cost that grows is found, also where it is small beside what is always there", () => {
  const linear = rowsOf((size) => size).at(-1);
  assert.equal(linear?.value, 1);
  assert.equal(linear?.asExpected, false);
  assert.match(linear?.note ?? "", /IT GROWS.*100,000 cost 10000 times what 10 cost/);
  const hidden = rowsOf((size) => 30 + size / 10_000).at(-1);
  assert.equal(hidden?.asExpected, true, "a third more at 100,000 members is no growth yet");
  const late = rowsOf((size) => 30 + size / 1000).at(-1);
  assert.ok((late?.value ?? 1) < 0.15, "the line through all points hardly shows it");
  assert.equal(late?.asExpected, false, "the last step does");
});

test("what costs less with size does not grow, and sizes below the first of the slope do not count", () => {
  assert.equal(rowsOf((size) => 1000 / size).at(-1)?.asExpected, true);
  const rows = rowsOf((size) => (size < 1000 ? 1 : 50), { slopeFrom: 1000 });
  assert.equal(rows.at(-1)?.value, 0);
  assert.equal(rows.at(-1)?.runs, 3);
});

test("a cost that may grow says why, and what one more costs", () => {
  const figure = new Figure({ ...about, unit: "ms", expected: "linear", why: "they are compared" });
  for (const size of [10, 1000, 10_000]) figure.add(size, 5 + size / 500);
  const slope = figure.rows().at(-1);
  assert.equal(slope?.asExpected, true);
  assert.match(
    slope?.note ?? "",
    /^how it is measured; they are compared; one more costs 2 µs; expected linear/,
  );
  const quadratic = new Figure({ ...about, expected: "linear", why: "they are compared" });
  for (const size of [10, 100, 1000]) quadratic.add(size, size * size);
  assert.match(quadratic.rows().at(-1)?.note ?? "", /one more costs 1100 µs.*IT GROWS/);
});
