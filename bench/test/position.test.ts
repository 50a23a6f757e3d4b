import assert from "node:assert/strict";
import { test } from "node:test";
import { Position } from "../src/measure/position.ts";

test("a position moves over holes only once they are filled", () => {
  const position = new Position();
  for (const seq of [1, 2, 5, 4]) position.see(seq);
  assert.deepEqual([position.value, position.aheadCount], [2, 2]);
  position.see(3);
  assert.deepEqual([position.value, position.aheadCount, position.repeated], [5, 0, 0]);
});

test("what is seen again is counted, before and behind the position", () => {
  const position = new Position();
  for (const seq of [1, 1, 3, 3]) position.see(seq);
  assert.equal(position.repeated, 2);
});

test("a hole that stays open is an error, not a growing memory", () => {
  const position = new Position();
  assert.throws(() => {
    for (let seq = 2; seq < 100_000; seq++) position.see(seq);
  }, /messages were lost/);
});
