import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt } from "../src/text/excerpt.ts";
import { canWorkAgain } from "../src/timeline/failure.ts";

test("what is too long or not understood is not offered to be sent again; what was busy or forbidden is", () => {
  const offered = (code: "too_large" | "bad_request" | "forbidden" | "internal") =>
    canWorkAgain({ code, message: "" });
  assert.deepEqual(
    [offered("too_large"), offered("bad_request"), offered("forbidden"), offered("internal")],
    [false, false, true, true],
  );
  assert.equal(canWorkAgain(undefined), true);
});

test("a text that was not sent is folded early, and the same text once it is sent is not", () => {
  const text = "a".repeat(1_000);
  assert.ok(excerpt(text, true).length < 300);
  assert.equal(excerpt(text), text);
  assert.equal(excerpt("1\n2\n3\n4\n5\n6", true), "1\n2\n3\n4");
});
