import assert from "node:assert/strict";
import { test } from "node:test";
import { readUpTo } from "../src/timeline/read-position.ts";
import { shown } from "./shown.ts";

function log(from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, index) => shown({ seq: from + index }));
}
const position = { read: 10, head: 300 };

test("reading goes on where the screen joins what was read before", () => {
  const window = { messages: log(5, 100), atStart: false };
  assert.equal(readUpTo({ first: 9, last: 20 }, position, window), 20);
  assert.equal(readUpTo({ first: 11, last: 20 }, position, window), 20);
  assert.equal(readUpTo({ first: 3, last: 9 }, position, window), undefined, "never back");
});

test("nothing in the middle becomes read: above it lies what was not on screen, loaded or not", () => {
  assert.equal(
    readUpTo({ first: 60, last: 75 }, position, { messages: log(5, 100), atStart: false }),
    undefined,
  );
  assert.equal(
    readUpTo({ first: 60, last: 75 }, position, { messages: log(60, 200), atStart: false }),
    undefined,
  );
});

test("the newest message on screen says that all is read", () => {
  const window = { messages: log(240, 300), atStart: false };
  assert.equal(readUpTo({ first: 285, last: 300 }, position, window), 300);
  assert.equal(readUpTo({ first: 285, last: 299 }, position, window), undefined);
});

test("own messages and system entries between the read position and the screen need no eye", () => {
  const between = [
    shown({ seq: 11, from: "alice" }),
    shown({ seq: 12, messageType: "hongyan.joined" }),
    ...log(13, 30),
  ];
  assert.equal(readUpTo({ first: 13, last: 20 }, position, { messages: between, atStart: false }), 20);
});

test("history that begins after the read position is read from its beginning", () => {
  assert.equal(readUpTo({ first: 50, last: 60 }, position, { messages: log(50, 90), atStart: true }), 60);
  assert.equal(
    readUpTo({ first: 52, last: 60 }, position, { messages: log(50, 90), atStart: true }),
    undefined,
  );
});
