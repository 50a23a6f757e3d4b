import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { PostgresStore, type StoreErrorCode } from "@hongyan/store/postgres";
import { freePorts } from "@hongyan/testkit/free-port";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { append, bodies, commit, until } from "../data.ts";
import { query } from "./databases.ts";

async function refuses(url: string, code: StoreErrorCode, words: RegExp): Promise<void> {
  await assert.rejects(PostgresStore.open({ url }), (error: Error & { code?: string }) => {
    assert.match(error.message, words);
    assert.equal(error.code, code);
    const password = URL.canParse(url) ? new URL(url).password : "";
    assert.ok(password === "" || !error.message.includes(password), "the password shows in the message");
    return true;
  });
}

function changed(url: string, change: (url: URL) => void): string {
  const other = new URL(url);
  change(other);
  return other.href;
}

suite("PostgresStore: what is refused at the start", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  test("an address that is none is refused with the form of one", async () => {
    for (const url of ["", "localhost", "mysql://root@localhost/hongyan", "postgres"])
      await refuses(url, "unsuitable", /postgres:\/\/user:password@host:5432\/database/);
  });

  test("a server that is not there is refused with where it was looked for", async () => {
    const [port] = await freePorts(1);
    await refuses(
      `postgres://hongyan:secret@127.0.0.1:${port}/hongyan`,
      "unreachable",
      new RegExp(`127\\.0\\.0\\.1:${port}.*cannot be reached.*ECONNREFUSED`),
    );
    await refuses(
      "postgres://hongyan:secret@nowhere.invalid/hongyan",
      "unreachable",
      /nowhere\.invalid:5432/,
    );
  });

  test("a wrong user or password is refused as such", async () => {
    const wrong = changed(server.url(), (url) => {
      url.password = "wrong one";
    });
    await refuses(
      wrong,
      "unauthorized",
      /refuses the user or the password: password authentication failed for user "hongyan"/,
    );
    const none = changed(server.url(), (url) => {
      url.password = "";
    });
    await refuses(none, "unauthorized", /refuses the user or the password/);
  });

  test("a database that is not there is refused with how to make it", async () => {
    await refuses(server.url("absent"), "unsuitable", /database "absent".*does not exist.*createdb/);
  });

  test("a user who may not make tables is refused with what is missing", async () => {
    await server.sql("CREATE ROLE weak LOGIN PASSWORD 'weak password'");
    const weak = changed(await server.createDatabase(), (url) => {
      url.username = "weak";
      url.password = "weak password";
    });
    await refuses(weak, "unwritable", /may not make or use the schema "hongyan".*permission denied/);
  });

  test("a user who may use the tables need not be allowed to make them", async () => {
    const url = await server.createDatabase();
    await (await PostgresStore.open({ url })).close();
    await server.sql("CREATE ROLE clerk LOGIN PASSWORD 'clerk password'");
    await query(
      url,
      `GRANT USAGE ON SCHEMA hongyan TO clerk;
     GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA hongyan TO clerk`,
    );
    const clerk = changed(url, (one) => {
      one.username = "clerk";
      one.password = "clerk password";
    });
    const store = await PostgresStore.open({ url: clerk });
    await commit(store, append("a", 1));
    assert.deepEqual(await bodies(store, "a"), ["body 1"]);
    await store.close();
  });

  test("a database in another encoding is refused with how to make one", async () => {
    const url = await server.createDatabase(
      "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    );
    await refuses(url, "unsuitable", /encoding LATIN1; it must be UTF8: createdb/);
  });

  test("a newer schema is refused by an older version, and left as it is", async () => {
    const url = await server.createDatabase();
    await (await PostgresStore.open({ url })).close();
    await query(url, "UPDATE hongyan.meta SET version = 1000");
    await refuses(
      url,
      "newer_format",
      /has schema version 1000; this version reads up to version \d+\. Use a newer version/,
    );
    assert.deepEqual(await query(url, "SELECT version FROM hongyan.meta"), [{ version: 1000 }]);
  });

  test("tables of somebody else are refused, and left as they are", async () => {
    const url = await server.createDatabase();
    await query(url, "CREATE SCHEMA hongyan; CREATE TABLE hongyan.meta (theirs integer)");
    await refuses(url, "foreign", /has a schema "hongyan" that Hongyan did not make/);
    assert.deepEqual(
      await query(url, "SELECT count(*)::int AS count FROM pg_tables WHERE schemaname = 'hongyan'"),
      [{ count: 1 }],
    );
  });

  test("a standby is refused: it cannot be written", async () => {
    const url = await server.createDatabase();
    await server.demote();
    await refuses(url, "unsuitable", /is a standby, which cannot be written: name the primary/);
    await server.promote();
    await (await PostgresStore.open({ url })).close();
  });

  test("a clock that is not the server's is refused with how far it is off; one that is near enough is measured", async (t) => {
    const url = await server.createDatabase();
    const off = (ms: number) => ({ url, now: () => Date.now() + ms });
    const unsuitable = (words: RegExp) => ({ code: "unsuitable", message: words });
    await assert.rejects(
      PostgresStore.open(off(60_000)),
      unsuitable(
        /clock of this machine is (59\.9|60\.\d) s ahead of that of PostgreSQL database .* 5 s.*NTP/,
      ),
    );
    await assert.rejects(PostgresStore.open(off(-7_000)), unsuitable(/ (6\.9|7\.\d) s behind that of /));
    await assert.rejects(
      PostgresStore.open({ ...off(3_000), clockSkewMsMax: 1_000 }),
      unsuitable(/may be 1 s/),
    );
    const store = await PostgresStore.open(off(3_000));
    t.after(() => store.close());
    const { clockSkewSeconds } = store.statistics;
    assert.ok(clockSkewSeconds > 2.5 && clockSkewSeconds < 3.5, `${clockSkewSeconds} s`);
  });

  test("a clock that goes wrong later is a warning once a minute, and the store goes on", async (t) => {
    const url = await server.createDatabase();
    t.mock.timers.enable({ apis: ["setInterval"] });
    const warnings: Record<string, unknown>[] = [];
    const journal = {
      info: () => undefined,
      warn: (event: string, details?: Record<string, unknown>) => warnings.push({ event, ...details }),
    };
    let aheadMs = 0;
    const store = await PostgresStore.open({ url, journal, now: () => Date.now() + aheadMs });
    t.after(() => store.close());
    aheadMs = 30_000;
    t.mock.timers.tick(60_000);
    await until(() => warnings.length > 0);
    assert.equal(warnings[0]?.event, "store.clock_skew");
    assert.match(String(warnings[0]?.error), /(29\.9|30\.\d) s ahead of/);
    assert.equal((await commit(store, append("a", 1)))[0]?.status, "stored");
  });

  test("a server that may lose what it has committed is used, and the journal says so", async () => {
    const careless = await startPostgres({ settings: { fsync: "off", full_page_writes: "off" } });
    try {
      const warnings: unknown[] = [];
      const journal = {
        info: () => {},
        warn: (event: string, details?: Record<string, unknown>) => warnings.push([event, details?.setting]),
      };
      const store = await PostgresStore.open({ url: careless.url(), journal });
      await store.close();
      assert.deepEqual(warnings, [
        ["store.not_durable", "fsync"],
        ["store.not_durable", "full_page_writes"],
      ]);
    } finally {
      await careless.stop();
    }
  });
});
