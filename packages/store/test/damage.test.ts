import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Entry, Journal } from "@hongyan/core";
import { EmbeddedStore, StoreError } from "@hongyan/store/embedded";
import { entriesKey, entriesPrefix } from "../src/embedded/keys.ts";
import { append, commit, everything, freshDirectory } from "./data.ts";
import { MemoryKeyValue } from "./memory-key-value.ts";

function recorder(): { journal: Journal; lines: { event: string; details: Record<string, unknown> }[] } {
  const lines: { event: string; details: Record<string, unknown> }[] = [];
  const add = (event: string, details: Record<string, unknown> = {}) => void lines.push({ event, details });
  return { journal: { info: add, warn: add }, lines };
}

/** A log of 12 entries in blocks of one, of which the disk has lost some; memory knows nothing, or everything. */
async function damaged(lost: readonly number[], isCached: boolean, trimmed = 0) {
  const pairs = new MemoryKeyValue();
  const { journal, lines } = recorder();
  const first = await EmbeddedStore.over(pairs, { journal });
  for (let n = 1; n <= 12; n++) await commit(first, append("d/g", n));
  if (trimmed > 0) await first.trim("d/g", trimmed);
  const store = isCached ? first : await EmbeddedStore.over(pairs, { journal });
  await pairs.write(lost.map((seq) => ({ key: entriesKey(entriesPrefix("d/g"), seq), value: undefined })));
  return { store, lines };
}

const seqs = (entries: readonly Entry[]) => entries.map(({ seq }) => seq);
const page = (count: number) => ({ count, bytes: 1e6 });

function hole(text: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, "damaged");
    assert.equal(error.message, `The log d/g has lost its ${text}`);
    return true;
  };
}

for (const isCached of [true, false]) {
  const where = isCached ? "with the head in memory" : "with the head on disk";

  test(`G1 G4 a read that meets lost entries is rejected, and names them; other reads go on (${where})`, async () => {
    const { store, lines } = await damaged([5, 6, 7], isCached);
    const lost = hole("entries 5 to 7");
    await assert.rejects(store.read("d/g", 0, everything), lost);
    await assert.rejects(store.read("d/g", 4, page(1)), lost);
    await assert.rejects(store.read("d/g", 5, page(1)), hole("entries 6 to 7"));
    await assert.rejects(store.readBack("d/g", 100, everything), lost);
    await assert.rejects(store.readBack("d/g", 8, page(1)), lost);
    await assert.rejects(store.readBack("d/g", 6, page(1)), hole("entry 5"));
    assert.deepEqual(seqs(await store.read("d/g", 0, page(4))), [1, 2, 3, 4]);
    assert.deepEqual(seqs(await store.read("d/g", 7, everything)), [8, 9, 10, 11, 12]);
    assert.deepEqual(seqs(await store.readBack("d/g", 5, everything)), [4, 3, 2, 1]);
    assert.deepEqual(seqs(await store.readBack("d/g", 13, page(5))), [12, 11, 10, 9, 8]);
    assert.deepEqual(lines, [
      { event: "store.damaged", details: { log: "d/g", error: "The log d/g has lost its entries 5 to 7" } },
    ]);
    assert.equal((await commit(store, append("d/g", 13)))[0]?.seq, 13);
  });

  test(`G1 the first, the last and all entries are missed as well (${where})`, async () => {
    const begin = await damaged([1], isCached);
    await assert.rejects(begin.store.read("d/g", 0, page(1)), hole("entry 1"));
    await assert.rejects(begin.store.readBack("d/g", 13, everything), hole("entry 1"));
    const end = await damaged([11, 12], isCached);
    await assert.rejects(end.store.read("d/g", 0, everything), hole("entries 11 to 12"));
    await assert.rejects(end.store.read("d/g", 11, everything), hole("entry 12"));
    for (const before of [13, Number.MAX_SAFE_INTEGER])
      await assert.rejects(end.store.readBack("d/g", before, page(1)), hole("entries 11 to 12"));
    assert.deepEqual(seqs(await end.store.readBack("d/g", 11, page(1))), [10]);
    const all = await damaged([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], isCached);
    await assert.rejects(all.store.read("d/g", 0, everything), hole("entries 1 to 12"));
    await assert.rejects(all.store.readBack("d/g", 20, everything), hole("entries 1 to 12"));
  });

  test(`what was trimmed is not missed, what is lost above it is (${where})`, async () => {
    const { store } = await damaged([], isCached, 5);
    assert.deepEqual(seqs(await store.read("d/g", 0, page(2))), [6, 7]);
    assert.deepEqual(seqs(await store.readBack("d/g", 8, everything)), [7, 6]);
    assert.deepEqual(await store.readBack("d/g", 5, everything), []);
    const both = await damaged([6], isCached, 5);
    await assert.rejects(both.store.read("d/g", 0, page(2)), hole("entry 6"));
    // Who trims what is lost has decided about it.
    await both.store.trim("d/g", 6);
    assert.deepEqual(seqs(await both.store.read("d/g", 0, page(2))), [7, 8]);
  });
}

test("G1 G4 a damaged file of LevelDB loses no acknowledged entry without a word", async (t) => {
  const directory = await freshDirectory(t);
  const body = "x".repeat(1000);
  const first = await EmbeddedStore.open({ directory });
  for (let n = 1; n <= 300; n++) await commit(first, append("d/g", n, body), append("d/h", n, "h"));
  // What is on disk now is what a crash would leave: closing does not rewrite it.
  await first.close();
  const name = (await readdir(directory)).find((each) => each.endsWith(".log"));
  assert.ok(name !== undefined);
  const bytes = await readFile(join(directory, name));
  bytes.fill(0x5a, 100_000, 100_064);
  await writeFile(join(directory, name), bytes);

  const { journal, lines } = recorder();
  const store = await EmbeddedStore.open({ directory, journal });
  t.after(() => store.close());
  assert.equal(lines[0]?.event, "store.dropped");
  assert.equal(lines[0]?.details.file, name);
  assert.deepEqual(await store.heads(["d/g", "d/h"]), [300, 300]);
  for (let i = 0; i < 3; i++) {
    for (const log of ["d/g", "d/h"]) {
      const damage = {
        code: "damaged",
        message: new RegExp(`^The log ${log} has lost its entries \\d+ to \\d+$`),
      };
      await assert.rejects(store.read(log, 0, everything), damage);
      await assert.rejects(store.readBack(log, 301, everything), damage);
    }
  }
  assert.equal(lines.filter(({ event }) => event === "store.damaged").length, 2);
  assert.deepEqual(seqs(await store.read("d/g", 0, page(10))), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal((await commit(store, append("d/g", 301)))[0]?.seq, 301);
});
