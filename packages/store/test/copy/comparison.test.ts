import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "@hongyan/core";
import { MismatchError } from "@hongyan/store/copy";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { Changes } from "../../src/copy/changes.ts";
import { Comparison, type ComparisonOptions } from "../../src/copy/comparison.ts";
import { MemoryKeyValue } from "../memory-key-value.ts";
import { fill } from "./filled.ts";

async function twins(): Promise<[EmbeddedStore, EmbeddedStore]> {
  const { pairs } = new MemoryKeyValue();
  const one = await EmbeddedStore.over(new MemoryKeyValue(pairs));
  await fill(one, "main", 10);
  return [one, await EmbeddedStore.over(new MemoryKeyValue(new Map(pairs)))];
}

function compare(
  source: EmbeddedStore,
  target: EmbeddedStore,
  more: Partial<ComparisonOptions> = {},
): Promise<void> {
  const { signal } = new AbortController();
  return new Comparison({ source: source.copySource, target: target.copySource, signal, ...more }).all();
}

const log = "main/conversation/long";
const entry = (producer: string, number: number, body = "x", time = 7) => ({
  log,
  producer,
  number,
  time,
  body: Buffer.from(body),
});
const batch = (parts: Partial<Batch>): Batch => ({ appends: [], advances: [], puts: [], ...parts });
const record = (value: string | undefined, key = "main/user/eve") =>
  batch({ puts: [{ key, value: value === undefined ? undefined : Buffer.from(value) }] });

/** What one side has written, and what is said where only it has. */
const writes: Readonly<Record<string, readonly [Batch, RegExp]>> = {
  "an entry": [batch({ appends: [entry("nz", 1)] }), /long: head is 200[01] in the data directory, 200[01]/],
  "a log": [batch({ appends: [{ ...entry("nz", 1), log: "new" }] }), /The log new: head/],
  "a position": [batch({ advances: [{ log, reader: "new", position: 3 }] }), /cursor of new in .*long is/],
  "a higher position": [
    batch({ advances: [{ log: "main/conversation/0", reader: "r/alice", position: 9 }] }),
    /cursor of r\/alice in main\/conversation\/0/,
  ],
  "a record": [record("new", "main/new"), /record main\/new: it is (only|missing) in the copy/],
  "a newer record": [record("3"), /record main\/user\/eve: version [34], [34] in the copy/],
};

test("two that hold the same are the same", async () => {
  const [one, other] = await twins();
  await compare(one, other);
});

for (const [what, [written, message]] of Object.entries(writes)) {
  test(`${what} that only one side has is found, and forgiven where the other side has gone on`, async () => {
    const [one, other] = await twins();
    await one.commit(written);
    await assert.rejects(compare(one, other), { name: "MismatchError", message });
    await assert.rejects(compare(other, one), { name: "MismatchError", message });
    await compare(other, one, { isAhead: true });
    // A record that is not there may have been deleted since.
    if (what === "a record") await compare(one, other, { isAhead: true });
    else await assert.rejects(compare(one, other, { isAhead: true }), MismatchError);
  });
}

test("the same head with other entries is found: body, time, key", async () => {
  const first = entry("nz", 1);
  for (const [second, message] of [
    [entry("nz", 1, "y"), /long, seq 2001: the body differs/],
    [entry("nz", 1, "x", 8), /long, seq 2001: the time differs/],
    [entry("nz", 2), /long, seq 2001: the idempotency key differs/],
    [entry("ny", 1), /long, seq 2001: the idempotency key differs/],
    [entry("", 1), /long, seq 2001: the idempotency key differs/],
  ] as const) {
    const [one, other] = await twins();
    await one.commit(batch({ appends: [first] }));
    await other.commit(batch({ appends: [second] }));
    await assert.rejects(compare(one, other, { isAhead: true }), { name: "MismatchError", message });
  }
});

test("a log that the other side has trimmed since is compared by its keys", async () => {
  const [one, other] = await twins();
  await other.trim(log, 1500);
  await compare(one, other, { isAhead: true });
  await assert.rejects(compare(one, other), /long: trimmed is 0 in the data directory, 1500/);
});

test("what is touched meanwhile is left for later, and nothing else", async () => {
  const [one, other] = await twins();
  const written = batch({ appends: [entry("nz", 1)] });
  await one.commit(written);
  const changes = new Changes();
  // It is noted only when everything that was asked for has settled.
  await compare(one, other, { live: { changes, settle: async () => changes.committed(written) } });
  const settled = { changes: new Changes(), settle: async () => {} };
  await assert.rejects(compare(one, other, { live: settled }), MismatchError);
});

test("changes are kept within a bound; a commit that was rejected is noted when one after it succeeds", () => {
  const changes = new Changes(10_000);
  changes.rejected(record("x", "main/doubtful"));
  assert.equal(changes.hasRecord("main/doubtful"), false);
  changes.committed(batch({ appends: [entry("nz", 1)] }));
  assert.deepEqual(changes.take(), {
    logs: [log],
    cursors: [],
    records: ["main/doubtful"],
    isEverything: false,
  });
  for (let n = 0; n < 1000; n++) changes.committed(record("x", `main/${n}`));
  assert.equal(changes.hasRecord("never"), true);
  assert.equal(changes.take().isEverything, true);
  assert.equal(changes.take().isEverything, false);
  for (let n = 0; n < 1000; n++) changes.rejected(record("x", `main/${n}`));
  changes.committed(batch({}));
  assert.equal(changes.take().isEverything, true);
});
