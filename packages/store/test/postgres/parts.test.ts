import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { compareUtf8 } from "@hongyan/core/memory";
import { PostgresStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { Client } from "pg";
import { digestOf } from "../../src/digest.ts";
import { byteaArray, int8Array, uuidArray } from "../../src/postgres/binary-array.ts";
import { append, bodies, commit } from "../data.ts";

test("a name's digest is what databases have it stored under: half of its SHA-256", () => {
  for (const name of ["", "main/conversation/alice:bob", "鸿雁\u0000", "x".repeat(20_000)])
    assert.deepEqual(digestOf(name), createHash("sha256").update(name).digest().subarray(0, 16));
});

suite("PostgresStore: its parts", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off" } });
  });
  after(() => server.stop());

  test("arrays arrive as they were: every size of number, every byte, nulls, and none at all", async (t) => {
    const client = new Client(server.url());
    await client.connect();
    t.after(() => client.end());
    const echo = async (type: string, array: Buffer): Promise<unknown> =>
      (
        await client.query({ text: `SELECT unnest($1::${type}[])`, values: [array], rowMode: "array" })
      ).rows.flat();
    const numbers = [
      0,
      1,
      255,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 40 + 5,
      Number.MAX_SAFE_INTEGER,
    ];
    assert.deepEqual(await echo("int8", int8Array(numbers)), numbers.map(String));
    assert.deepEqual(await echo("int8", int8Array([])), []);
    const bytes = [
      Buffer.alloc(0),
      Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
      Buffer.alloc(100_000, 7),
    ];
    assert.deepEqual(await echo("bytea", byteaArray(bytes)), bytes);
    assert.deepEqual(await echo("uuid", uuidArray([Buffer.alloc(16, 0xab), undefined])), [
      "abababab-abab-abab-abab-abababababab",
      null,
    ]);
  });

  test("names above what an index can hold are told apart, and listed in byte order", async (t) => {
    const store = await PostgresStore.open({ url: await server.createDatabase() });
    t.after(() => store.close());
    // Hex of random bytes: PostgreSQL cannot make them fit by compressing them.
    const long = (): string => randomBytes(4_000).toString("hex");
    const shared = randomBytes(500).toString("hex");
    const names = [
      shared,
      `${shared}0`,
      `${shared}\uffff`,
      `${shared}\u{10000}`,
      long(),
      ...[1, 2, 3].map(() => shared + long()),
    ];
    for (const name of names) {
      await store.commit({
        appends: [{ ...append(name, 1, name), producer: name }],
        advances: names.map((reader, i) => ({ log: name, reader, position: i + 1 })),
        puts: [{ key: name, value: Buffer.from(name) }],
      });
    }
    const sorted = names.toSorted(compareUtf8);
    for (const name of names) {
      assert.deepEqual(await bodies(store, name), [name]);
      assert.equal(
        (await commit(store, { ...append(name, 1, name), producer: name }))[0]?.status,
        "duplicate",
      );
      const seen: string[] = [];
      for (;;) {
        const page = await store.readers(name, seen.at(-1) ?? "", 3);
        for (const { reader, position } of page) assert.equal(names[position - 1], reader);
        seen.push(...page.map(({ reader }) => reader));
        if (page.length < 3) break;
      }
      assert.deepEqual(seen, sorted);
      const [record] = await store.records([name]);
      assert.equal(record?.value.toString(), name);
    }
    for (const prefix of ["", shared, `${shared}${names.at(-1)?.slice(1000, 1001)}`, names.at(-1) ?? ""]) {
      const listed = (await store.list(prefix, "", 100)).map(({ key }) => key);
      assert.deepEqual(
        listed,
        sorted.filter((name) => name.startsWith(prefix)),
      );
    }
  });

  test("every statement of the store goes by an index, also over tables that have grown", async (t) => {
    const url = await server.createDatabase();
    const store = await PostgresStore.open({ url });
    t.after(() => store.close());
    const logs = Array.from({ length: 2_000 }, (_, i) => `log ${i}`);
    await store.commit({
      appends: logs.map((log) => append(log, 1)),
      advances: logs.map((log) => ({ log, reader: "r", position: 1 })),
      puts: logs.map((key) => ({ key, value: Buffer.from(key) })),
    });
    const scans = async (): Promise<number> =>
      Number(
        await server.sql(
          `SELECT sum(seq_tup_read) FROM pg_stat_user_tables
           WHERE schemaname = 'hongyan' AND relname NOT IN ('meta', 'placement', 'buckets')`,
          new URL(url).pathname.slice(1),
        ),
      );
    const before = await scans();
    for (let n = 2; n <= 20; n++) {
      const log = `log ${n}`;
      await store.commit({
        appends: [append(log, n), append(log, n)],
        advances: [{ log, reader: "r", position: n }],
        puts: [{ key: log, value: undefined }],
      });
      await Promise.all([
        store.read(log, 0, { count: 10, bytes: 1000 }),
        store.readBack(log, 9, { count: 10, bytes: 1000 }),
        store.heads([log, "none"]),
        store.find(log, "p", n),
        store.positions([{ log, reader: "r" }]),
        store.readers(log, "", 10),
        store.records([log]),
        store.list("log 1", "", 10),
        store.trim(log, 1),
      ]);
    }
    await store.close();
    assert.equal((await scans()) - before, 0);
  });
});
