import assert from "node:assert/strict";
import { test } from "node:test";
import { closeDivider, isFirstUnreadHere, moveDivider, openDivider } from "../src/timeline/unread-divider.ts";
import { shown } from "./shown.ts";

test("the divider stands at the read position of the moment the conversation was opened", () => {
  assert.equal(openDivider({ read: 7, unread: 3 }).after, 7);
  assert.equal(openDivider({ read: 7, unread: 0 }).after, undefined);
});

test("reading the new messages does not move the divider", () => {
  const opened = openDivider({ read: 7, unread: 3 });
  assert.equal(moveDivider(opened, { read: 10, unread: 0 }, true).after, 7);
});

test("a message that comes while nobody looks puts the divider before it", () => {
  const opened = openDivider({ read: 7, unread: 0 });
  assert.equal(moveDivider(opened, { read: 7, unread: 1 }, false).after, 7);
});

test("a message that comes before the reader's eyes gets no divider", () => {
  const opened = openDivider({ read: 7, unread: 0 });
  assert.equal(moveDivider(opened, { read: 7, unread: 1 }, true).after, undefined);
});

test("an own message takes the divider away; what comes unseen later brings it back", () => {
  const closed = closeDivider(
    moveDivider(openDivider({ read: 7, unread: 3 }), { read: 10, unread: 0 }, true),
  );
  assert.equal(closed.after, undefined);
  assert.equal(moveDivider(closed, { read: 11, unread: 2 }, false).after, 11);
});

test("the divider is shown only where the first unread message is: not before the first one that happens to be loaded", () => {
  const divider = openDivider({ read: 7, unread: 300 });
  const loaded = (seq: number, atStart = false) =>
    isFirstUnreadHere(
      { messages: [shown({ seq: 0 }), shown({ seq }), shown({ seq: seq + 1 })], atStart },
      divider,
    );
  assert.deepEqual([loaded(68), loaded(9), loaded(8), loaded(7)], [false, false, true, true]);
  assert.equal(loaded(68, true), true, "what was before is not to be had by anybody");
  assert.equal(isFirstUnreadHere({ messages: [], atStart: true }, divider), false);
});

test("the divider remembers how many were new when it was put there", () => {
  const opened = openDivider({ read: 0, unread: 300 });
  assert.equal(moveDivider(opened, { read: 300, unread: 0 }, true).waiting, 300);
});
