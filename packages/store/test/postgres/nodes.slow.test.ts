import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import type { AppendOutcome } from "@hongyan/core";
import { PostgresStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { Client } from "pg";
import { append, bodies, bodiesTo, commit, everything, until } from "../data.ts";
import { query } from "./databases.ts";

async function openNodes(t: TestContext, url: string, count: number): Promise<PostgresStore[]> {
  const nodes = await Promise.all(Array.from({ length: count }, () => PostgresStore.open({ url })));
  t.after(() => Promise.all(nodes.map((node) => node.close())));
  return nodes;
}

/** Has the server write down with which `synchronous_commit` it stores each entry, in the table `seen`. */
async function seeSetting(url: string): Promise<void> {
  await query(
    url,
    `CREATE TABLE seen (setting text);
     CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
     CREATE TRIGGER look AFTER INSERT ON hongyan.entries FOR EACH ROW EXECUTE FUNCTION look()`,
  );
}

suite("PostgresStore: several nodes on one database", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off" } });
  });
  after(() => server.stop());

  test("G2 G3 nodes that store the same resends in one log never store one twice, nor burn a seq", async (t) => {
    const url = await server.createDatabase();
    const nodes = await openNodes(t, url, 4);
    const rounds = 1_000;
    const writersPerNode = 2;
    const answers = Array.from({ length: rounds }, (): AppendOutcome[] => []);
    // Everybody sends the same messages in the same order, as a client does that resends through every node at once.
    const write = async (node: PostgresStore): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const [outcome] = await commit(node, append("the conversation", round + 1));
        (answers[round] as AppendOutcome[]).push(outcome as AppendOutcome);
      }
    };
    await Promise.all(nodes.flatMap((node) => Array.from({ length: writersPerNode }, () => write(node))));
    for (const [round, outcomes] of answers.entries()) {
      assert.equal(outcomes.filter(({ status }) => status === "stored").length, 1, `round ${round}`);
      assert.deepEqual(new Set(outcomes.map(({ seq }) => seq)), new Set([round + 1]), `round ${round}`);
    }
    const [one] = nodes as [PostgresStore];
    assert.deepEqual(await one.heads(["the conversation"]), [rounds]);
    assert.deepEqual(
      (await one.read("the conversation", 0, everything)).map(({ seq }) => seq),
      Array.from({ length: rounds }, (_, i) => i + 1),
    );
  });

  test("G2 G3 what a node remembers of a log is not believed once another node has written to it", async (t) => {
    const nodes = await openNodes(t, await server.createDatabase(), 2);
    const [one, two] = nodes as [PostgresStore, PostgresStore];
    for (let n = 1; n <= 5; n++) await commit(one, append("a", n));
    assert.equal((await commit(two, append("a", 6)))[0]?.seq, 6);
    // The first one trusts its head of 5, and that this producer has come to 5.
    assert.deepEqual(await commit(one, append("a", 6)), [{ status: "duplicate", seq: 6, time: 1 }]);
    assert.equal((await commit(one, append("a", 6, "something else")))[0]?.status, "conflict");
    assert.deepEqual(await commit(one, append("a", 7)), [{ status: "stored", seq: 7, time: 1 }]);
    assert.equal(one.statistics.lostRaces, 1);
    // The second one locks the log, and believes that the producer has come to 6.
    assert.deepEqual(await commit(two, append("a", 7), append("a", 8)), [
      { status: "duplicate", seq: 7, time: 1 },
      { status: "stored", seq: 8, time: 1 },
    ]);
    assert.deepEqual(await bodies(two, "a"), bodiesTo(8));
  });

  test("G3 seqs that are taken without a row are not given again", async (t) => {
    const url = await server.createDatabase();
    const [one] = (await openNodes(t, url, 1)) as [PostgresStore];
    await commit(one, append("a", 1));
    await query(url, "UPDATE hongyan.logs SET head = 10");
    assert.deepEqual(await one.heads(["a", "b"]), [10, 0]);
    await one.trim("a", 7);
    for (let n = 2; n <= 5; n++) assert.equal((await commit(one, append("a", n)))[0]?.seq, n + 9);
    assert.deepEqual(
      (await one.read("a", 0, everything)).map(({ seq }) => seq),
      [11, 12, 13, 14],
    );
  });

  test("G3 a node comes into a log that another one writes to without a pause", async (t) => {
    const nodes = await openNodes(t, await server.createDatabase(), 2);
    const [one, two] = nodes as [PostgresStore, PostgresStore];
    let isOver = false;
    let written = 0;
    // So many that the next transaction leaves in the moment in which one was committed.
    const writing = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!isOver) await commit(one, { ...append("a", ++written), producer: "one" });
      }),
    );
    await until(() => written > 20);
    for (let n = 1; n <= 100; n++) await commit(two, { ...append("a", n), producer: "two" });
    isOver = true;
    await writing;
    const entries = await one.read("a", 0, everything);
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      Array.from({ length: written + 100 }, (_, i) => i + 1),
    );
    assert.ok(one.statistics.lostRaces + two.statistics.lostRaces < 50, "most commits are made once");
  });

  test("G3 a node commits to many logs at once that another one writes to without a pause", async (t) => {
    const nodes = await openNodes(t, await server.createDatabase(), 2);
    const [one, two] = nodes as [PostgresStore, PostgresStore];
    const logs = Array.from({ length: 40 }, (_, i) => `busy ${i}`);
    let isOver = false;
    const written = logs.map(async (log) => {
      let n = 0;
      while (!isOver) await commit(one, { ...append(log, ++n), producer: "one" });
      return n;
    });
    for (let n = 1; n <= 5; n++) {
      // Long enough that the first one trusts its memory again: from then on it locks nothing.
      const before = one.statistics.commits;
      await until(() => one.statistics.commits > before + 60 * logs.length);
      await two.commit({
        appends: logs.map((log) => ({ ...append(log, n), producer: "two" })),
        advances: [],
        puts: [{ key: "k", value: Buffer.from(`${n}`) }],
      });
    }
    isOver = true;
    for (const [at, count] of (await Promise.all(written)).entries())
      assert.deepEqual(await one.heads([logs[at] as string]), [count + 5]);
    assert.ok(two.statistics.lostRaces < 100, `${two.statistics.lostRaces} lost races`);
  });

  test("G3 a node that has a log for itself lets another one in after sixteen commits", async (t) => {
    const url = await server.createDatabase();
    const [one] = (await openNodes(t, url, 1)) as [PostgresStore];
    // It trusts its memory by now.
    for (let n = 1; n <= 4; n++) await commit(one, append("a", n));
    const other = new Client(url);
    await other.connect();
    t.after(() => other.end());
    await other.query("BEGIN; SELECT FROM hongyan.logs FOR UPDATE");
    let written = 4;
    const writing = (async () => {
      while (written < 40) await commit(one, append("a", ++written));
    })();
    const waits = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    while (written < 40 && (await other.query(waits)).rowCount === 0);
    assert.ok(written > 5 && written <= 4 + 16, `it waits with its commit ${written}`);
    await other.query("COMMIT");
    await writing;
    assert.deepEqual(await bodies(one, "a"), bodiesTo(40));
  });

  test("G2 G3 nodes that write many logs at once, in any order, never wait for each other in a circle", async (t) => {
    const url = await server.createDatabase();
    const nodes = await openNodes(t, url, 3);
    const logs = Array.from({ length: 40 }, (_, i) => `log ${i}`);
    const rounds = 40;
    await Promise.all(
      nodes.map(async (node, n) => {
        for (let round = 0; round < rounds; round++) {
          // Each node goes through the logs in its own order; all of them are new in the first round.
          const step = [1, 3, 7][n] as number;
          const order = logs.map((_, i) => logs[(i * step + round) % logs.length] as string);
          await node.commit({
            appends: order.map((log) => ({ ...append(log, round + 1), producer: `node ${n}` })),
            advances: order.map((log) => ({ log, reader: "everybody", position: round + 1 })),
            puts: order.map((key) => ({ key, value: Buffer.from(`${round}`) })),
          });
        }
      }),
    );
    const [one] = nodes as [PostgresStore];
    for (const log of logs) {
      const seqs = (await one.read(log, 0, everything)).map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        Array.from({ length: rounds * nodes.length }, (_, i) => i + 1),
      );
    }
    const records = await one.records(logs);
    assert.ok(records.every((record) => record?.version === rounds * nodes.length));
  });

  test("of nodes that put one record with one expectation, one lands; also where it is deleted in between", async (t) => {
    const url = await server.createDatabase();
    const nodes = await openNodes(t, url, 4);
    for (let round = 0; round < 100; round++) {
      const landed = await Promise.all(
        nodes.map(async (node, n) => {
          const value = Buffer.from(`node ${n}`);
          const { puts } = await node.commit({
            appends: [{ ...append("winners", round + 1), producer: `node ${n}`, guard: 0 }],
            advances: [],
            puts: [{ key: "lease", value, expect: 0 }],
          });
          return puts[0] !== undefined;
        }),
      );
      assert.equal(landed.filter(Boolean).length, 1, `round ${round}`);
      const [one, two] = nodes as [PostgresStore, PostgresStore];
      // Two of them give it back, and one deletes what is not there any more.
      const gone = { appends: [], advances: [], puts: [{ key: "lease", value: undefined }] };
      await Promise.all([one.commit(gone), two.commit(gone)]);
    }
    const [one] = nodes as [PostgresStore];
    assert.deepEqual(await one.heads(["winners"]), [100]);
    assert.deepEqual(await query(url, "SELECT count(*)::int AS count FROM hongyan.records"), [{ count: 0 }]);
  });

  test("nodes that start together on an empty database make it once, and have one epoch", async (t) => {
    const url = await server.createDatabase();
    const nodes = await openNodes(t, url, 5);
    assert.equal(new Set(nodes.map(({ epoch }) => epoch)).size, 1);
    await Promise.all(nodes.map((node, n) => commit(node, append(`log ${n}`, 1))));
    for (const node of nodes) assert.deepEqual(await bodies(node, "log 3"), ["body 1"]);
  });

  test("G1 commits wait for the disk, whatever the server, the database and the role say", async (t) => {
    const url = await server.createDatabase();
    const { pathname, username } = new URL(url);
    const database = pathname.slice(1);
    await query(url, `ALTER DATABASE ${database} SET synchronous_commit = off`);
    await query(url, `ALTER ROLE ${username} IN DATABASE ${database} SET synchronous_commit = off`);
    const [store] = (await openNodes(t, url, 1)) as [PostgresStore];
    await seeSetting(url);
    await commit(store, append("a", 1));
    assert.deepEqual(await query(url, "SELECT setting FROM seen"), [{ setting: "on" }]);
  });

  test("G1 commits wait for the disk also when the server is told later not to", async (t) => {
    const url = await server.createDatabase();
    const [store] = (await openNodes(t, url, 1)) as [PostgresStore];
    await seeSetting(url);
    await query(url, "ALTER SYSTEM SET synchronous_commit = off");
    t.after(() => query(url, "ALTER SYSTEM RESET synchronous_commit"));
    await query(url, "SELECT pg_reload_conf()");
    // The server hands it on to its processes, which read it before their next statement; a connection comes after.
    while ((await query(url, "SHOW synchronous_commit"))[0]?.synchronous_commit !== "off");
    for (let n = 1; n <= 3; n++) await commit(store, append("a", n));
    assert.deepEqual(await query(url, "SELECT DISTINCT setting FROM seen"), [{ setting: "on" }]);
  });
});
