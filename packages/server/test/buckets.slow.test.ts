import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PlacedStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

suite("hongyan buckets", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  let home: string;
  let pg2: string;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off", max_prepared_transactions: "4" } });
    [home, pg2] = [await server.createDatabase(), await server.createDatabase()];
  });
  after(() => server.stop());

  /** A real process; its exit code and what it has said. */
  async function buckets(...args: string[]): Promise<{ code: number | null; words: string }> {
    const child = spawn(process.execPath, [main, "buckets", ...args], {
      env: {
        PATH: process.env.PATH,
        HONGYAN_POSTGRES_URL: home,
        HONGYAN_POSTGRES_SERVERS: JSON.stringify({ pg2 }),
      },
    });
    let words = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (words += chunk));
    const [code] = await once(child, "close");
    assert.ok(!words.includes(new URL(home).password), "the password shows");
    return { code, words };
  }

  test("lists them, moves some while a node writes, and says what it cannot do", async (t) => {
    assert.deepEqual(await buckets(), {
      code: 1,
      words: `hongyan: home (PostgreSQL database "${nameOf(home)}" at 127.0.0.1:${server.port}) holds no data of Hongyan\n`,
    });
    const store = await PlacedStore.open({ url: home, servers: new Map([["pg2", pg2]]) });
    t.after(() => store.close());
    const commit = (log: string, number: number) =>
      store.commit({
        appends: [{ log, producer: "p", number, time: 1, body: Buffer.from("x") }],
        advances: [],
        puts: [],
      });
    // Of bucket f, and of others.
    const logs = Array.from({ length: 64 }, (_, n) => `log ${n}`);
    await Promise.all(logs.map((log) => commit(log, 1)));
    const moving = buckets("move", "e-f", "--to", "pg2");
    let number = 1;
    let isOver = false;
    void moving.then(() => {
      isOver = true;
    });
    while (!isOver) {
      number++;
      await Promise.all(logs.map((log) => commit(log, number)));
    }
    const { code, words } = await moving;
    assert.equal(code, 0, words);
    for (const name of ["e", "f"])
      assert.match(
        words,
        new RegExp(
          `^Bucket ${name} is on pg2: [\\d,]+ rows? copied, [\\d,]+ again as they were written meanwhile. Writes to it waited for [\\d,]+ ms.$`,
          "m",
        ),
      );
    assert.deepEqual(
      await store.heads(logs),
      logs.map(() => number),
    );
    await store.close();
    const listed = (await buckets()).words.split("\n");
    assert.match(listed[0] ?? "", /^bucket {2}server {2}rows, about {2}on disk {2}state$/);
    assert.match(listed[1] ?? "", /^0 +home +[\d,]+ +\d MiB +serving$/);
    assert.match(listed[16] ?? "", /^f +pg2 +[\d,]+ +\d MiB +serving$/);
    await server.sql("UPDATE hongyan.placement SET version = version + 1, frozen = '{15}'", nameOf(pg2));
    assert.match((await buckets()).words, /^f +pg2 .* takes no writes$/m);
    await server.sql("UPDATE hongyan.placement SET version = version + 1, frozen = '{}'", nameOf(pg2));
    assert.deepEqual(await buckets("move", "f", "--to=pg2"), {
      code: 0,
      words: "Bucket f is on pg2 already.\n",
    });
    assert.deepEqual(await buckets("move", "f", "--abort"), {
      code: 0,
      words: "Bucket f was not being moved.\n",
    });
    const unknown = await buckets("move", "f", "--to", "pg3");
    assert.equal(unknown.code, 2);
    assert.match(
      unknown.words,
      /^hongyan: --to "pg3" is no server: there are home, pg2 \(postgres\.servers\)\n/,
    );
  });
});

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}
