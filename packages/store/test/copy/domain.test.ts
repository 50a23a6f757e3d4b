import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkDomainFile, DomainFileError, exportDomain, importDomain } from "@hongyan/store/copy";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { writeDomainFile } from "../../src/copy/domain-file.ts";
import type { CopySource, LogPart, Part } from "../../src/copy/items.ts";
import { freshDirectory } from "../data.ts";
import { MemoryKeyValue } from "../memory-key-value.ts";
import { contentsOf } from "./contents.ts";
import { fill } from "./filled.ts";

const header = { domain: "main", epoch: "e", time: 1 };

async function filledStore(): Promise<EmbeddedStore> {
  const store = await EmbeddedStore.over(new MemoryKeyValue());
  await fill(store, "main");
  await fill(store, "other", 3);
  return store;
}

async function fileOf(t: TestContext, source: CopySource): Promise<string> {
  const path = join(await freshDirectory(t), "main.domain");
  await exportDomain(source, "main", path, () => {});
  return path;
}

async function take(store: EmbeddedStore, path: string): Promise<void> {
  await importDomain(await store.importBegin("main/"), path, () => {});
  await store.importEnd();
}

test("G2 G3 a domain is the same in another store: entries, keys, positions, versions, what was trimmed", async (t) => {
  const from = await filledStore();
  const path = await fileOf(t, from.copySource);
  const to = await EmbeddedStore.over(new MemoryKeyValue());
  await take(to, path);
  assert.deepEqual(await contentsOf(to.copySource, ""), await contentsOf(from.copySource, "main/"));
  const [again, next] = (
    await to.commit({
      appends: [
        { log: "main/conversation/long", producer: "np4", number: 4, time: 1, body: Buffer.from("n 4") },
        { log: "main/conversation/long", producer: "np4", number: 5000, time: 1, body: Buffer.from("new") },
      ],
      advances: [],
      puts: [],
    })
  ).appends;
  assert.deepEqual(again, { status: "duplicate", seq: 5, time: 4 });
  assert.deepEqual(next, { status: "stored", seq: 2001, time: 1 });
});

test("a log longer than a window of keys is the same, and a resend of any of its entries is known", async (t) => {
  const from = await EmbeddedStore.over(new MemoryKeyValue());
  const log = "main/conversation/c";
  const append = (n: number) => ({
    log,
    producer: n % 5 === 0 ? "" : `np${n % 3}`,
    // Some come in another order.
    number: n % 7 === 0 ? 1_000_000 - n : n,
    time: n,
    body: Buffer.from(`${n}`),
  });
  const count = 70_000;
  for (let n = 0; n < count; n += 10_000)
    await from.commit({
      appends: Array.from({ length: 10_000 }, (_, i) => append(n + i)),
      advances: [],
      puts: [],
    });
  await from.trim(log, 40_000);
  const to = await EmbeddedStore.over(new MemoryKeyValue());
  await take(to, await fileOf(t, from.copySource));
  assert.deepEqual(await to.copySource.marks([log]), [{ log, head: count, trimmed: 40_000 }]);
  for (const n of [1, 39_998, 39_999, 40_001, 50_001, 69_999]) {
    const { appends } = await to.commit({ appends: [append(n)], advances: [], puts: [] });
    const time = n < 40_000 ? 0 : n;
    assert.deepEqual(appends, [{ status: "duplicate", seq: n + 1, time }]);
    assert.equal(await to.find(log, `np${n % 3}`, append(n).number), n + 1);
  }
  const entries = await to.read(log, 69_990, { count: 100, bytes: 1e6 });
  assert.deepEqual(
    entries.map(({ body }) => Buffer.from(body).toString()),
    Array.from({ length: 10 }, (_, n) => `${69_990 + n}`),
  );
});

test("an import that did not come to its end is gone with the next opening, and nothing else", async (t) => {
  const from = await filledStore();
  const path = await fileOf(t, from.copySource);
  const { pairs } = new MemoryKeyValue();
  const to = await EmbeddedStore.over(new MemoryKeyValue(pairs));
  await fill(to, "main2", 3);
  await fill(to, "mai", 3);
  const before = await contentsOf(to.copySource, "");
  await importDomain(await to.importBegin("main/"), path, () => {});
  await to.close();
  const opened = await EmbeddedStore.over(new MemoryKeyValue(pairs));
  assert.deepEqual(await contentsOf(opened.copySource, ""), before);
  await take(opened, path);
  assert.deepEqual(await contentsOf(opened.copySource, "main/"), await contentsOf(from.copySource, "main/"));
});

test("a file that was cut off or changed anywhere is refused before anything is written", async (t) => {
  const store = await EmbeddedStore.over(new MemoryKeyValue());
  await fill(store, "main", 2);
  const path = await fileOf(t, store.copySource);
  const whole = await readFile(path);
  const broken = `${path}.broken`;
  const step = Math.ceil(whole.length / 150);
  for (let at = 0; at < whole.length; at += step) {
    await writeFile(broken, whole.subarray(0, at));
    await assert.rejects(checkDomainFile(broken), DomainFileError, `cut off at ${at}`);
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] as number) ^ 0x10;
    await writeFile(broken, changed);
    // A letter of the header's domain or epoch makes another header, which the checksum finds.
    await assert.rejects(checkDomainFile(broken), DomainFileError, `changed at ${at}`);
  }
  await writeFile(broken, Buffer.concat([whole, Buffer.of(0)]));
  await assert.rejects(checkDomainFile(broken), DomainFileError);
  assert.equal((await checkDomainFile(path)).domain, "main");
});

test("a file that was made to do harm is refused", async (t) => {
  const directory = await freshDirectory(t);
  const log = "main/conversation/c";
  const body = Buffer.from("b");
  const entry = (seq: number, number = seq) => ({ seq, time: 1, key: { producer: "np", number }, body });
  const logPart = (part: Partial<LogPart>): Part => ({
    logs: [{ log, head: 1, trimmed: 0, entries: [], ...part }],
    cursors: [],
    records: [],
  });
  const nothing: Part = { logs: [], cursors: [], records: [] };
  const hostile: Readonly<Record<string, Part>> = {
    "a log of another domain": logPart({ log: "other/conversation/c", entries: [entry(1)] }),
    "a cursor of another domain": { ...nothing, cursors: [{ log: "mainx", reader: "r", position: 1 }] },
    "a record of another domain": { ...nothing, records: [{ key: "other/user/u", version: 1, value: body }] },
    "a hole": logPart({ head: 3, entries: [entry(1), entry(3)] }),
    "a beginning that is missing": logPart({ head: 2, entries: [entry(2)] }),
    "a head above its entries": logPart({ head: 5, entries: [entry(1)] }),
    "a head without entries": logPart({ head: 5 }),
    "entries above the head": logPart({ head: 1, entries: [entry(1), entry(2)] }),
    "more trimmed than there is": logPart({ head: 1, trimmed: 2 }),
    "one key at two entries": logPart({ head: 2, entries: [entry(1, 7), entry(2, 7)] }),
    "a log that is there twice": {
      ...nothing,
      logs: [entry(1, 1), entry(1, 2)].map((one) => ({ log, head: 1, trimmed: 0, entries: [one] })),
    },
    "a cursor that is there twice": {
      ...nothing,
      cursors: [5, 3].map((position) => ({ log, reader: "r", position })),
    },
    "a record that is there twice": {
      ...nothing,
      records: [1, 2].map((version) => ({ key: "main/user/u", version, value: body })),
    },
    "a record without a version": { ...nothing, records: [{ key: "main/user/u", version: 0, value: body }] },
    "a name that is too long": {
      ...nothing,
      records: [{ key: `main/${"x".repeat(20_000)}`, version: 1, value: body }],
    },
    "a time that no store takes": logPart({ entries: [{ ...entry(1), time: 2 ** 53 - 1 }] }),
  };
  for (const [what, part] of Object.entries(hostile)) {
    const path = join(directory, what);
    await writeDomainFile(path, header, parts(part));
    const { pairs } = new MemoryKeyValue();
    const store = await EmbeddedStore.over(new MemoryKeyValue(pairs));
    await assert.rejects(take(store, path), /The file|The log/, what);
    await store.close();
    const opened = await EmbeddedStore.over(new MemoryKeyValue(pairs));
    assert.deepEqual(await contentsOf(opened.copySource, ""), [], what);
  }
  const line = `${JSON.stringify({ hongyan: "domain", version: 1, ...header })}\n`;
  const files: Readonly<Record<string, Buffer>> = {
    nothing: Buffer.alloc(0),
    "no line": Buffer.alloc(10_000, 0x61),
    "no JSON": Buffer.from("hello\n"),
    null: Buffer.from("null\n"),
    "another version": Buffer.from(line.replace('"version":1', '"version":2')),
    "no domain": Buffer.from(line.replace('"main"', "7")),
    "a part of a domain": Buffer.from(line.replace('"main"', '"main/conversation"')),
    "every domain": Buffer.from(line.replace('"main"', '""')),
    "a block of 4 GB": Buffer.concat([Buffer.from(line), Buffer.alloc(100, 0xff)]),
    "a block of 60 MB that is not there": Buffer.concat([
      Buffer.from(line),
      Buffer.of(3, 0, 0, 0, 1, 2, 3, 4),
    ]),
  };
  for (const [what, bytes] of Object.entries(files)) {
    const path = join(directory, `file ${what}`);
    await writeFile(path, bytes);
    await assert.rejects(checkDomainFile(path), DomainFileError, what);
  }
});

test("an export overwrites nothing, and leaves nothing where it fails", async (t) => {
  const store = await filledStore();
  const directory = await freshDirectory(t);
  const path = join(directory, "main.domain");
  await assert.rejects(
    exportDomain(store.copySource, "nobody", path, () => {}),
    /nothing of the domain "nobody"/,
  );
  await exportDomain(store.copySource, "main", path, () => {});
  const made = await readFile(path);
  await assert.rejects(
    exportDomain(store.copySource, "other", path, () => {}),
    { code: "EEXIST" },
  );
  assert.deepEqual(await readFile(path), made);
  const fails = async function* (): AsyncGenerator<Part> {
    yield { logs: [], cursors: [], records: [{ key: "main/a", version: 1, value: Buffer.alloc(9) }] };
    throw new Error("the store failed");
  };
  await assert.rejects(writeDomainFile(join(directory, "x"), header, fails()), /the store failed/);
  await assert.rejects(readFile(join(directory, "x.part")), { code: "ENOENT" });
  await assert.rejects(readFile(join(directory, "x")), { code: "ENOENT" });
});

async function* parts(...all: readonly Part[]): AsyncGenerator<Part> {
  yield* all;
}
