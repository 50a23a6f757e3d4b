/** Servers of a cluster that are not what the others take them for: restored from older backups, or new. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { moveBuckets } from "@hongyan/store/buckets";
import { PlacedStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { bucketOf } from "../../src/postgres/bucket.ts";
import { append, bodies, bodiesTo, commit, freshDirectory, until } from "../data.ts";
import { query } from "./databases.ts";

const run = promisify(execFile);

/** All logs of the tests are in it. */
const bucket = 8;

suite("servers that were restored", { skip: whyNoPostgres() ?? false, concurrency: true }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off", max_prepared_transactions: "30" } });
  });
  after(() => server.stop());

  interface Two {
    readonly home: string;
    readonly east: string;
    open(): Promise<PlacedStore>;
  }

  /** Home, and one more server. */
  async function twoServers(t: TestContext): Promise<Two> {
    const [home, east] = [await server.createDatabase(), await server.createDatabase()];
    const open = async (): Promise<PlacedStore> => {
      const node = await PlacedStore.open({ url: home, servers: new Map([["east", east]]), poolMax: 2 });
      t.after(() => node.close());
      return node;
    };
    await (await open()).close();
    return { home, east, open };
  }

  async function move({ home, east }: Two, target: string): Promise<void> {
    const urls = new Map(Object.entries({ home, east }));
    const { signal } = new AbortController();
    await Array.fromAsync(moveBuckets({ urls, buckets: [bucket], target, report: () => {}, signal }));
  }

  const logs = Array.from({ length: 999 }, (_, n) => `log ${n}`);
  const log = logs.find((name) => bucketOf(name) === bucket) ?? "";
  const elsewhere = logs.find((name) => bucketOf(name) !== bucket) ?? "";

  test("G1 G3 a bucket that two servers take for theirs is written on neither, and no node starts", async (t) => {
    const two = await twoServers(t);
    const node = await two.open();
    await commit(node, append(log, 1));
    await move(two, "east");
    await commit(node, append(log, 2));
    // Home as it was before the move: it takes writes to the bucket.
    await query(two.home, "ALTER TABLE hongyan.entries_8 DROP CONSTRAINT not_held");
    const holds = (held: string) =>
      query(two.home, `UPDATE hongyan.placement SET version = version + 1, held = ${held}`);
    await holds(`held || ${bucket}`);
    // Who writes there finds out that something has changed.
    await commit(node, append(elsewhere, 1));
    const both = /Bucket 8 is held by east and home/;
    await assert.rejects(commit(node, append(log, 3)), { code: "failed", message: both });
    await assert.rejects(two.open(), { code: "unsuitable", message: both });
    await assert.rejects(move(two, "home"), { code: "unsuitable", message: /held by home and east/ });
    await holds(`array_remove(held, ${bucket})`);
    assert.deepEqual(await bodies(await two.open(), log), bodiesTo(2));
  });

  test("G1 G3 a node that has lost a server for a moment looks anew who holds what: it may be an older copy", async (t) => {
    const two = await twoServers(t);
    const node = await two.open();
    await move(two, "east");
    await commit(node, append(log, 1));
    await query(
      two.home,
      `UPDATE hongyan.placement SET held = held || ${bucket};
       SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'hongyan'`,
    );
    await until(() => node.statistics.recoveries > 0);
    await assert.rejects(commit(node, append(log, 2)), {
      code: "failed",
      message: /Bucket 8 is held by east and home/,
    });
  });

  test("G1 a new server in the place of a lost one is refused, until it is told what it holds", async (t) => {
    const two = await twoServers(t);
    await commit(await two.open(), append(log, 1));
    await move(two, "east");
    await query(two.east, "DROP SCHEMA hongyan CASCADE");
    await assert.rejects(two.open(), {
      code: "unsuitable",
      message: /Bucket 8 is on east by the map .*, and held by none/,
    });
    await assert.rejects(move(two, "east"), { code: "unsuitable", message: /held by none/ });
    await query(two.east, `UPDATE hongyan.placement SET version = version + 1, held = '{${bucket}}'`);
    const node = await two.open();
    assert.equal((await commit(node, append(log, 2)))[0]?.seq, 1);
  });

  test("G3 a server that has gone back while nodes run is refused by them, and by those that start, until all have one epoch", async (t) => {
    const two = await twoServers(t);
    const [node, other] = [await two.open(), await two.open()];
    await move(two, "east");
    await commit(node, append(log, 1));
    await query(
      two.east,
      `DELETE FROM hongyan.entries;
       SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'hongyan'`,
    );
    const epoch = async () => (await query(two.east, "SELECT epoch FROM hongyan.meta"))[0]?.epoch;
    const before = await epoch();
    for (let looks = 0; (await epoch()) === before; looks++) assert.ok(looks < 1_000, "nobody noticed");
    for (const one of [node, other]) await assert.rejects(commit(one, append(log, 2)), { code: "failed" });
    await assert.rejects(two.open(), { code: "foreign", message: /belongs to another cluster/ });
    const [row] = await query(two.home, "UPDATE hongyan.meta SET epoch = gen_random_uuid() RETURNING epoch");
    for (const url of [two.home, two.east])
      await query(url, `UPDATE hongyan.placement SET version = version + 1, cluster = '${row?.epoch}'`);
    assert.equal((await commit(await two.open(), append(log, 3)))[0]?.seq, 1);
  });

  test("G3 dumps of all servers with the nodes stopped are restored under one new epoch, and not without it", async (t) => {
    const two = await twoServers(t);
    const urls = [two.home, two.east];
    await move(two, "east");
    const dumps = await freshDirectory(t);
    const dump = (url: string) => join(dumps, new URL(url).pathname);
    const node = await two.open();
    const write = (number: number) =>
      node.commit({
        appends: [append(log, number), append(elsewhere, number)],
        advances: [],
        puts: [{ key: "last", value: Buffer.from(`${number}`) }],
      });
    await write(1);
    await Promise.all(
      urls.map((url) =>
        run("pg_dump", ["--format", "custom", "--schema", "hongyan", "--file", dump(url), url]),
      ),
    );
    await write(2);
    await node.close();
    await Promise.all(
      urls.map(async (url) => {
        await query(url, "ALTER SCHEMA hongyan RENAME TO hongyan_before");
        await run("pg_restore", ["--exit-on-error", "--single-transaction", "--dbname", url, dump(url)]);
      }),
    );
    const [row] = await query(two.home, "UPDATE hongyan.meta SET epoch = gen_random_uuid() RETURNING epoch");
    await assert.rejects(two.open(), { code: "foreign", message: /belongs to another cluster/ });
    for (const url of urls)
      await query(
        url,
        `UPDATE hongyan.placement SET version = version + 1, cluster = '${row?.epoch}', frozen = '{}'`,
      );
    const restored = await two.open();
    assert.equal(restored.epoch, row?.epoch);
    assert.deepEqual(await restored.heads([log, elsewhere]), [1, 1]);
    const [record] = await restored.records(["last"]);
    assert.equal(String(record?.value), "1");
    assert.equal((await commit(restored, append(log, 3)))[0]?.seq, 2);
  });
});
