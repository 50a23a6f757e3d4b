import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { PostgresStore, type PostgresStoreOptions } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { Client } from "pg";
import { append, bodies, commit, everything, until } from "../data.ts";
import { query } from "./databases.ts";
import { WireCutter } from "./wire-cutter.ts";

async function openStore(t: TestContext, options: PostgresStoreOptions): Promise<PostgresStore> {
  const store = await PostgresStore.open(options);
  t.after(() => store.close());
  return store;
}

const nothing = { appends: [], advances: [], puts: [] };

/** A connection that holds a lock until it is released. */
async function holding(url: string, statement: string): Promise<() => Promise<void>> {
  const client = new Client(url);
  await client.connect();
  await client.query("BEGIN");
  await client.query(statement);
  return () => client.end();
}

/** Resolves once so many statements wait for a lock. */
async function waiting(url: string, count: number): Promise<void> {
  for (;;) {
    const rows = await query(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    if (rows.length >= count) return;
    await pause(10);
  }
}

/** Commits as a client does: again and again, until it is told that it is stored. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch {
      await pause(5);
    }
  }
}

suite("PostgresStore: what breaks", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ settings: { deadlock_timeout: "200ms" } });
  });
  after(() => server.stop());

  test("G1 G2 G3 PostgreSQL crashes under load: nothing acknowledged is lost or doubled, and the store comes back", async (t) => {
    const url = await server.createDatabase();
    const store = await openStore(t, { url });
    const writers = 8;
    const crashes = 4;
    let isLoaded = true;
    let stored = 0;
    const acknowledged: { readonly log: string; readonly seq: number; readonly body: string }[] = [];
    const write = async (writer: number): Promise<void> => {
      for (let n = 1; isLoaded; n++) {
        const log = `log ${n % 3}`;
        const body = `${writer}/${n}`;
        const [outcome] = await insist(() =>
          commit(store, { ...append(log, n, body), producer: `writer ${writer}` }),
        );
        assert.match(outcome?.status ?? "", /^(stored|duplicate)$/);
        acknowledged.push({ log, seq: outcome?.seq ?? 0, body });
        stored++;
      }
    };
    const load = Promise.all(Array.from({ length: writers }, (_, i) => write(i)));
    for (let crash = 1; crash <= crashes; crash++) {
      const before = stored;
      await until(() => stored > before + 100);
      await server.restart("immediate");
      await until(() => store.statistics.recoveries >= crash);
    }
    isLoaded = false;
    await load;
    for (const log of ["log 0", "log 1", "log 2"]) {
      const found = await bodies(store, log);
      assert.equal(new Set(found).size, found.length, "no message is there twice");
      const here = acknowledged.filter((one) => one.log === log);
      for (const { seq, body } of here) assert.equal(found[seq - 1], body);
      assert.equal(found.length, here.length, "every message was acknowledged in the end");
      const seqs = (await store.read(log, 0, everything)).map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        Array.from({ length: found.length }, (_, i) => i + 1),
      );
    }
  });

  test("a commit whose connection breaks is rejected; later ones are taken, and so is the same one again", async (t) => {
    const url = await server.createDatabase();
    const store = await openStore(t, { url });
    await commit(store, append("a", 1));
    const release = await holding(url, "SELECT 1 FROM hongyan.logs FOR UPDATE");
    const rejected = assert.rejects(commit(store, append("a", 2)), { code: "failed" });
    await waiting(url, 1);
    await query(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'hongyan'",
    );
    await rejected;
    await assert.rejects(store.commit(nothing), { code: "failed" });
    await release();
    assert.deepEqual(await insist(() => store.commit(nothing)), { appends: [], puts: [] });
    assert.deepEqual(await store.heads(["a"]), [1]);
    assert.equal((await commit(store, append("a", 2)))[0]?.seq, 2);
  });

  test("reads whose connection breaks are rejected, and the next one is answered", async (t) => {
    const real = await server.createDatabase();
    const { wire, url } = await WireCutter.to(real);
    t.after(() => wire.close());
    const store = await openStore(t, { url, poolMax: 2 });
    await commit(store, append("a", 1));
    const release = await holding(real, "LOCK TABLE hongyan.entries");
    const rejected = [1, 2].map(() => assert.rejects(store.read("a", 0, everything)));
    await waiting(real, 1);
    wire.cut();
    await Promise.all(rejected);
    await release();
    assert.deepEqual(await bodies(store, "a"), ["body 1"]);
  });

  test("reads for which there is no connection leave on the one that is busy, and each gets its own answer", async (t) => {
    const real = await server.createDatabase();
    const { wire, url } = await WireCutter.to(real);
    t.after(() => wire.close());
    const store = await openStore(t, { url, poolMax: 2 });
    const logs = Array.from({ length: 10 }, (_, n) => `log ${n}`);
    for (const [n, log] of logs.entries()) await commit(store, append(log, n + 1));
    const release = await holding(real, "LOCK TABLE hongyan.entries");
    const first = bodies(store, "log 0");
    await waiting(real, 1);
    const { sentBytes } = wire;
    const others = Promise.all(logs.map((log) => bodies(store, log)));
    assert.equal(store.statistics.readsWaiting, 10);
    // Each names its statement and its log.
    await until(() => wire.sentBytes > sentBytes + 10 * 50);
    await release();
    assert.deepEqual(await first, ["body 1"]);
    assert.deepEqual(
      await others,
      logs.map((_, n) => [`body ${n + 1}`]),
    );
    assert.equal(store.statistics.readsWaiting, 0);
  });

  test("G4 once the store is back, no transaction of before takes effect any more", async (t) => {
    const real = await server.createDatabase();
    const { wire, url } = await WireCutter.to(real);
    t.after(() => wire.close());
    const store = await openStore(t, { url });
    await commit(store, append("a", 1));
    // The transaction is stopped in the middle of its writes, with its COMMIT already on the server's side.
    await query(
      real,
      `CREATE TABLE public.gate ();
     CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN LOCK TABLE public.gate IN SHARE MODE; RETURN NEW; END $$;
     CREATE TRIGGER pass BEFORE INSERT ON hongyan.entries FOR EACH ROW EXECUTE FUNCTION pass()`,
    );
    const open = await holding(real, "LOCK TABLE public.gate");
    const rejected = assert.rejects(commit(store, append("a", 2)), { code: "failed" });
    await waiting(real, 1);
    wire.cut();
    await rejected;
    await insist(() => store.commit(nothing));
    assert.deepEqual(await store.heads(["a"]), [1]);
    await open();
    assert.equal((await commit(store, append("a", 3)))[0]?.seq, 2);
    assert.deepEqual(await bodies(store, "a"), ["body 1", "body 3"]);
  });

  test("a primary that becomes a standby takes no commits and answers no reads, until there is a primary again", async (t) => {
    const url = await server.createDatabase();
    const store = await openStore(t, { url });
    await commit(store, append("a", 1));
    assert.deepEqual(await bodies(store, "a"), ["body 1"]);
    await server.demote();
    await assert.rejects(commit(store, append("a", 2)), { code: "failed" });
    await assert.rejects(store.heads(["a"]), { code: "unsuitable" });
    await server.promote();
    await insist(() => store.commit(nothing));
    assert.equal((await commit(store, append("a", 2)))[0]?.seq, 2);
  });

  test("an address that leads to other data is not taken for the same store", async (t) => {
    const url = await server.createDatabase();
    const warnings: string[] = [];
    const journal = {
      info: () => {},
      warn: (_: string, details?: Record<string, unknown>) => warnings.push(String(details?.error)),
    };
    const store = await openStore(t, { url, journal });
    await commit(store, append("a", 1));
    await query(url, "UPDATE hongyan.meta SET epoch = 'other'");
    await server.restart("fast");
    await until(() => warnings.some((warning) => warning.includes("holds other data than before")));
    await assert.rejects(commit(store, append("a", 2)), { code: "failed" });
  });

  test("G9 more than the queue may hold is refused as overloaded; what was taken is committed", async (t) => {
    const url = await server.createDatabase();
    const store = await openStore(t, { url, queueBytesMax: 50_000 });
    await commit(store, append("a", 1));
    const release = await holding(url, "SELECT 1 FROM hongyan.logs FOR UPDATE");
    const commits = Array.from({ length: 100 }, (_, i) =>
      commit(store, append("a", i + 2, "x".repeat(1000))),
    );
    const results = Promise.allSettled(commits);
    await waiting(url, 1);
    await release();
    const taken = (await results).filter(({ status }) => status === "fulfilled").length;
    assert.ok(taken > 20 && taken < 50, `${taken} of 100 were taken`);
    const refused = (await results).find((result) => result.status === "rejected");
    assert.equal(refused?.reason.code, "overloaded");
    assert.deepEqual(await store.heads(["a"]), [taken + 1]);
  });

  test("two connections are enough, and more batches than connections share transactions", async (t) => {
    const url = await server.createDatabase();
    const store = await openStore(t, { url, poolMax: 2 });
    const logs = Array.from({ length: 200 }, (_, i) => `log ${i}`);
    await Promise.all(logs.map((log) => commit(store, append(log, 1))));
    assert.ok(store.statistics.transactions < 20, `${store.statistics.transactions} transactions`);
    assert.deepEqual(new Set(await store.heads(logs)), new Set([1]));
    await assert.rejects(PostgresStore.open({ url, poolMax: 1 }), RangeError);
  });
});
