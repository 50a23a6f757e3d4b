import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store, StoredRecord } from "@hongyan/core";
import { bytes, commitPuts, hostile, type OpenStore, type Subject, text, withStore } from "./subject.ts";

export function recordContract(open: OpenStore): void {
  const check = (title: string, work: (store: Store, subject: Subject) => Promise<void>): void => {
    test(title, () => withStore(open, work));
  };
  const put = (key: string, value: string | undefined, expect?: number, guard?: number) => ({
    key,
    value: value === undefined ? undefined : bytes(value),
    ...(expect === undefined ? {} : { expect }),
    ...(guard === undefined ? {} : { guard }),
  });
  const shown = (records: readonly (StoredRecord | undefined)[]): (string | undefined)[] =>
    records.map((record) => record && `${record.key}=${text(record.value)}@${record.version}`);

  check("versions rise with every put from 1, and begin anew after a delete", async (store) => {
    assert.deepEqual(await commitPuts(store, put("k", "a")), [1]);
    assert.deepEqual(await commitPuts(store, put("k", "b"), put("k", "c")), [2, 3]);
    assert.deepEqual(shown(await store.records(["k", "none", "k"])), ["k=c@3", undefined, "k=c@3"]);
    assert.deepEqual(await commitPuts(store, put("k", undefined)), [0]);
    assert.deepEqual(await store.records(["k"]), [undefined]);
    assert.deepEqual(await store.list("", "", 10), []);
    assert.deepEqual(await commitPuts(store, put("k", "")), [1]);
    assert.deepEqual(shown(await store.records(["k"])), ["k=@1"]);
  });

  check("a put with an expected version lands only on that version; 0 means none", async (store) => {
    assert.deepEqual(await commitPuts(store, put("k", "no", 1)), [undefined]);
    assert.deepEqual(await commitPuts(store, put("k", "a", 0)), [1]);
    assert.deepEqual(await commitPuts(store, put("k", "no", 0)), [undefined]);
    assert.deepEqual(await commitPuts(store, put("k", "b", 1), put("k", "no", 1), put("k", "c", 2)), [
      2,
      undefined,
      3,
    ]);
    assert.deepEqual(await commitPuts(store, put("k", undefined, 2)), [undefined]);
    assert.deepEqual(shown(await store.records(["k"])), ["k=c@3"]);
    assert.deepEqual(await commitPuts(store, put("k", undefined, 3), put("k", "d", 0)), [0, 1]);
  });

  check("of concurrent puts with one expectation, one lands", async (store) => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => commitPuts(store, put("k", `${i}`, 0))),
    );
    assert.deepEqual(
      outcomes.flat().filter((version) => version !== undefined),
      [1],
    );
  });

  check("a put with a guard lands only if that put lands, through chains", async (store) => {
    const outcome = await commitPuts(
      store,
      put("a", "1", 0),
      put("b", "1", 7, 0),
      put("c", "1", undefined, 1),
      put("d", "1", undefined, 0),
    );
    assert.deepEqual(outcome, [1, undefined, undefined, 1]);
    assert.deepEqual(shown(await store.list("", "", 10)), ["a=1@1", "d=1@1"]);
    await assert.rejects(commitPuts(store, put("e", "1", undefined, 0)), TypeError);
  });

  check("a delete of nothing lands, and guards", async (store) => {
    assert.deepEqual(await commitPuts(store, put("none", undefined), put("k", "1", undefined, 0)), [0, 1]);
  });

  check("G10 list answers records of a prefix in byte order, in pages", async (store, subject) => {
    const keys = hostile.filter((key) => key !== "").flatMap((key) => [`p/${key}`, key, `p${key}`]);
    const unique = [...new Set(keys)];
    await commitPuts(store, ...unique.map((key) => put(key, key)));
    const reopened = (await subject.reopen?.()) ?? store;
    for (const prefix of ["", "p/", "p", "a", "a\u0000", "鸿", "\u{10ffff}", "none"]) {
      const expected = unique
        .filter((key) => key.startsWith(prefix))
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const seen: string[] = [];
      for (;;) {
        const page = await reopened.list(prefix, seen.at(-1) ?? "", 5);
        for (const { key, value } of page) assert.equal(text(value), key);
        seen.push(...page.map(({ key }) => key));
        if (page.length < 5) break;
      }
      assert.deepEqual(seen, expected);
    }
    assert.deepEqual(await reopened.list("", "", 0), []);
    assert.deepEqual(await reopened.list("a", "b", 10), []);
  });

  check("values of every size come back as they were", async (store) => {
    const sizes = [0, 1, 4096, 3_000_000];
    await commitPuts(
      store,
      ...sizes.map((size) => ({ key: `${size}`, value: new Uint8Array(size).fill(size % 251) })),
    );
    const records = await store.records(sizes.map(String));
    assert.deepEqual(
      records.map((record) => [
        record?.value.length,
        record?.value.every((byte) => byte === record.value.length % 251),
      ]),
      sizes.map((size) => [size, true]),
    );
  });
}
