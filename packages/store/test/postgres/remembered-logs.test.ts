import assert from "node:assert/strict";
import { test } from "node:test";
import { RememberedLog } from "../../src/postgres/remembered-log.ts";

/** A log that a locked commit has found at 1, as this node left it. */
function trusted(): RememberedLog {
  const log = new RememberedLog("id", 1);
  log.seen(1, 2);
  return log;
}

test("the head of a log is trusted once a locked commit has found it as this node left it", () => {
  const log = new RememberedLog("id", 1);
  assert.equal(log.trustedHead, undefined);
  log.seen(1, 2);
  assert.equal(log.trustedHead, 2);
  log.confirmed(5);
  assert.equal(log.trustedHead, 5);
});

test("after fifteen commits that trusted memory one locks the log, so that other nodes come in", () => {
  const log = trusted();
  for (let n = 3; n < 18; n++) {
    assert.notEqual(log.trustedHead, undefined, `commit ${n}`);
    log.confirmed(n);
  }
  assert.equal(log.trustedHead, undefined);
  log.seen(17, 18);
  assert.equal(log.trustedHead, 18);
});

test("a log that another node has written to is locked until 32 commits in a row found it unchanged", () => {
  const log = trusted();
  log.seen(3, 4);
  for (let n = 4; n < 36; n++) {
    assert.equal(log.trustedHead, undefined, `commit ${n}`);
    log.seen(n, n + 1);
  }
  assert.equal(log.trustedHead, 36);
});

test("of each producer the highest number is remembered, of the latest eight", () => {
  const log = trusted();
  const a = { name: "a", digest: "digest of a" };
  log.stored(a, 5);
  log.stored(a, 3);
  assert.equal(log.producer("a")?.digest, "digest of a");
  assert.equal(log.producer("a")?.number, 5);
  for (let n = 0; n < 8; n++) log.stored({ name: `p${n}`, digest: "" }, 1);
  assert.equal(log.producer("a"), undefined);
  assert.equal(log.producer("p0")?.number, 1);
});
