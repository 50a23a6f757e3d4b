import assert from "node:assert/strict";
import { test } from "node:test";
import { type Counted, compareCounts, type Expected, expectedOf } from "../src/counts/expected.ts";
import { run } from "./command.ts";

const values: Counted["values"] = {
  "bytes on the wire": 281.44,
  "frames on the wire": 2.5,
  "read calls": 1.25,
  "write calls": 1.5,
  commits: 0.00625,
  "bytes written to disk": 288,
  "bytes allocated on the heap": 10_400,
};
const counted = (changes: Partial<Counted["values"]> = {}): Counted[] => [
  { load: "direct, tcp, 1 in flight", values: { ...values, ...changes } },
];
const expected: Expected = expectedOf(counted(), "26.0.0");

test("the same counts are no finding", () => {
  assert.deepEqual(compareCounts(expected, counted(), "26.0.0"), { risen: [], notes: [] });
});

test("a count that rose fails, and says from where to where", () => {
  const { risen, notes } = compareCounts(expected, counted({ "bytes on the wire": 562.88 }), "26.0.0");
  assert.deepEqual(notes, []);
  assert.deepEqual(risen, [
    "direct, tcp, 1 in flight: bytes on the wire per message rose from 281.44 to 562.88 (100.0 %; up to 0.5 % is no change)",
  ]);
});

test("a count that fell is a note, one within its tolerance nothing", () => {
  const { risen, notes } = compareCounts(
    expected,
    counted({ "write calls": 1.2, "read calls": 1.26 }),
    "26.0.0",
  );
  assert.deepEqual(risen, []);
  assert.equal(notes.length, 1);
  assert.match(notes[0] ?? "", /write calls per message fell from 1\.5 to 1\.2/);
});

test("another Node is said, and only what does not depend on it is compared", () => {
  const { risen, notes } = compareCounts(
    expected,
    counted({ "bytes allocated on the heap": 20_000, commits: 1 }),
    "27.0.0",
  );
  assert.match(risen.join(), /^[^,]+, tcp, 1 in flight: commits per message rose/);
  assert.match(notes.join(), /written with Node 26\.0\.0, counted with 27\.0\.0/);
});

test("what could not be counted is not passed over", () => {
  const { risen } = compareCounts(expected, counted({ commits: Number.NaN }), "26.0.0");
  assert.match(risen.join(), /commits could not be counted/);
});

test("a load that the file does not know is a note", () => {
  const { notes } = compareCounts({ node: "26.0.0", loads: {} }, counted(), "26.0.0");
  assert.equal(notes.length, Object.keys(values).length);
});

test("counts refuses what it does not know", async () => {
  for (const args of [["direct"], ["--wrong"]]) {
    const { code, err } = await run("main", ["counts", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.notEqual(err, "");
  }
});
