import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { exportDomain, importDomain } from "@hongyan/store/copy";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { PostgresImport, PostgresSnapshot, PostgresStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { freshDirectory } from "../data.ts";
import { MemoryKeyValue } from "../memory-key-value.ts";
import { contentsOf } from "./contents.ts";
import { fill } from "./filled.ts";

suite("A domain and PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off" } });
  });
  after(() => server.stop());

  test("G2 G3 G10 it comes in all at once into a database in use, goes out while that is written, and is the same", async (t) => {
    const directory = await freshDirectory(t);
    const file = join(directory, "in");
    const from = await EmbeddedStore.over(new MemoryKeyValue());
    await fill(from, "main", 10);
    await exportDomain(from.copySource, "main", file, () => {});
    const url = await server.createDatabase("STRATEGY file_copy");
    const node = await PostgresStore.open({ url });
    t.after(() => node.close());
    await fill(node, "other", 3);
    const others = await contentsAt(url, "other/");

    const interrupted = await PostgresImport.begin(url, "main/");
    await importDomain(interrupted, file, () => {});
    await assert.rejects(PostgresImport.begin(url, "main/"), { code: "occupied", message: /another import/ });
    assert.deepEqual(await node.list("main/", "", 10), [], "nobody sees it before its end");
    await interrupted.close();
    assert.deepEqual(await contentsAt(url, "main/"), []);

    const coming = await PostgresImport.begin(url, "main/");
    await importDomain(coming, file, () => {});
    await coming.end();
    await coming.close();
    const there = await contentsOf(from.copySource, "main/");
    assert.deepEqual(await contentsAt(url, "main/"), there);
    assert.deepEqual(await contentsAt(url, "other/"), others);
    await assert.rejects(PostgresImport.begin(url, "main/"), {
      code: "occupied",
      message: /has this domain already/,
    });

    // What is written while it goes out is not in it.
    const back = join(directory, "back");
    const snapshot = await PostgresSnapshot.open(url);
    await fill(node, "main/conversation", 2);
    await exportDomain(snapshot.source, "main", back, () => {});
    await snapshot.close();
    const to = await EmbeddedStore.over(new MemoryKeyValue());
    await importDomain(await to.importBegin("main/"), back, () => {});
    await to.importEnd();
    assert.deepEqual(await contentsOf(to.copySource, ""), there);

    // Producers came as digests: a resend is known all the same, also one without a number.
    const log = "main/conversation/long";
    const resend = (producer: string, number: number, body: string) => ({
      log,
      producer,
      number,
      time: 1,
      body: Buffer.from(body),
    });
    const { appends } = await to.commit({
      appends: [
        resend("np4", 4, "n 4"),
        resend("u0", 0, "u 0"),
        resend("np4", 4, "other"),
        resend("np4", 5, "new"),
        resend("np4", 5, "new"),
      ],
      advances: [],
      puts: [],
    });
    assert.deepEqual(
      appends.map(({ status, seq }) => `${status} ${seq}`),
      ["duplicate 5", "duplicate 1", "conflict 5", "stored 2001", "duplicate 2001"],
    );
    assert.equal(await to.find(log, "np4", 4), 5);
    assert.equal(await to.find(log, "u0", 0), 1);
    assert.equal(await to.find(log, "np4", 5), 2001);
  });

  async function contentsAt(url: string, prefix: string): Promise<string[]> {
    const snapshot = await PostgresSnapshot.open(url);
    try {
      return await contentsOf(snapshot.source, prefix);
    } finally {
      await snapshot.close();
    }
  }
});
