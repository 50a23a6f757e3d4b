import assert from "node:assert/strict";
import { test } from "node:test";
import { timelineItems } from "../src/timeline/timeline-items.ts";
import { shown } from "./shown.ts";

const kinds = (items: ReturnType<typeof timelineItems>) => items.map((item) => item.kind);
const minute = 60_000;
const noon = new Date(2025, 2, 4, 12).getTime();

test("a day separator stands before the first message of each day", () => {
  const items = timelineItems(
    [shown({ seq: 1, time: noon }), shown({ seq: 2, time: noon + 24 * 60 * minute })],
    undefined,
  );
  assert.deepEqual(kinds(items), ["day", "message", "day", "message"]);
});

test("a clock that goes back over midnight gives every separator a key of its own", () => {
  const items = timelineItems(
    [
      shown({ seq: 1, time: noon }),
      shown({ seq: 2, time: noon - 24 * 60 * minute }),
      shown({ seq: 3, time: noon }),
    ],
    undefined,
  );
  assert.equal(new Set(items.map((item) => item.key)).size, items.length);
});

test("consecutive messages of one sender are one run; a pause, another sender or a system entry ends it", () => {
  const items = timelineItems(
    [
      shown({ seq: 1, time: noon }),
      shown({ seq: 2, time: noon + minute }),
      shown({ seq: 3, time: noon + 2 * minute, from: "alice" }),
      shown({ seq: 4, time: noon + 3 * minute }),
      shown({ seq: 5, time: noon + 9 * minute }),
      shown({ seq: 6, time: noon + 9 * minute, messageType: "hongyan.renamed" }),
      shown({ seq: 7, time: noon + 9 * minute }),
    ],
    undefined,
  );
  const runs = items.flatMap((item) =>
    item.kind === "message" ? [[item.message.seq, item.first, item.last]] : [],
  );
  assert.deepEqual(runs, [
    [1, true, false],
    [2, false, true],
    [3, true, true],
    [4, true, true],
    [5, true, true],
    [7, true, true],
  ]);
});

test("new messages begin at the first message of somebody else after the read position, once", () => {
  const items = timelineItems(
    [
      shown({ seq: 1, time: noon }),
      shown({ seq: 2, time: noon, from: "alice" }),
      shown({ seq: 3, time: noon, messageType: "hongyan.joined" }),
      shown({ seq: 4, time: noon }),
      shown({ seq: 5, time: noon }),
    ],
    1,
  );
  assert.deepEqual(kinds(items), ["day", "message", "message", "system", "unread", "message", "message"]);
});

test("items that have not changed keep their identity, so that one new message shows one row anew", () => {
  const messages = [shown({ seq: 1, time: noon }), shown({ seq: 2, time: noon, from: "alice" })];
  const before = timelineItems(messages, undefined);
  const after = timelineItems([...messages, shown({ seq: 3, time: noon })], undefined, before);
  assert.deepEqual(
    after.map((item) => before.includes(item)),
    [true, true, true, false],
  );
});

test("a page of older messages above does not change the key of any row below", () => {
  const later = [shown({ seq: 3, time: noon }), shown({ seq: 4, time: noon })];
  const before = timelineItems(later, undefined);
  const after = timelineItems(
    [shown({ seq: 1, time: noon }), shown({ seq: 2, time: noon }), ...later],
    undefined,
    before,
  );
  for (const item of before) assert.ok(after.some((other) => other.key === item.key));
});
