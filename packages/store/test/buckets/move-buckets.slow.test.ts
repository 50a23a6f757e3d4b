import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { after, afterEach, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type BucketPhase, type ListedBucket, listBuckets, MismatchError } from "@hongyan/store/buckets";
import { PostgresStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { Client } from "pg";
import { BucketSide } from "../../src/buckets/bucket-side.ts";
import { ServerConnection } from "../../src/buckets/server-connection.ts";
import { bucketOf } from "../../src/postgres/bucket.ts";
import { fill } from "../copy/filled.ts";
import { query } from "../postgres/databases.ts";
import { BucketCluster } from "./bucket-cluster.ts";
import { BusyWriter } from "./busy-writer.ts";

const mover = fileURLToPath(new URL("dying-mover.ts", import.meta.url));
const all = Array.from({ length: 16 }, (_, bucket) => bucket);
const killed: ReadonlySet<BucketPhase> = new Set(["rest", "release", "hold"]);
const phases = ["copy", "follow", "compare", "freeze", "rest", "release", "hold", "switch", "clean"] as const;

suite("Moving buckets between PostgreSQL servers", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  let cluster: BucketCluster;
  let there: readonly string[];
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off", max_prepared_transactions: "4" } });
    cluster = await BucketCluster.make(server, ["pg2", "pg3"]);
    const store = await cluster.open();
    await fill(store, "main");
    await store.close();
    there = await cluster.contents("home");
  });
  after(() => server.stop());
  // Whatever a test has left behind is brought to its end, and home.
  afterEach(async () => {
    for (const { bucket, server, movingTo } of await listBuckets(cluster.urls)) {
      if (movingTo !== undefined) await cluster.move([bucket], movingTo);
      if ((movingTo ?? server) !== "home") await cluster.move([bucket], "home");
    }
    assert.deepEqual(await cluster.contents("home"), there);
    for (const name of ["pg2", "pg3"]) assert.deepEqual(await cluster.contents(name), []);
    for (const name of cluster.urls.keys()) assert.deepEqual(await cluster.traces(name), []);
  });

  async function killedIn(
    of: BucketCluster,
    bucket: number,
    phase: BucketPhase,
    target: string,
  ): Promise<void> {
    const args = [mover, JSON.stringify([...of.urls]), String(bucket), target, phase];
    await assert.rejects(promisify(execFile)(process.execPath, args), { signal: "SIGKILL" });
  }

  /** The bucket of the log with 2,000 entries. */
  const long = 1;

  async function found(): Promise<ListedBucket | undefined> {
    return (await listBuckets(cluster.urls)).find(({ bucket }) => bucket === long);
  }

  test("G2 G3 G5 every row arrives as it is, nothing is left behind, and it comes back", async () => {
    await cluster.move([8, 9, long], "pg2");
    await cluster.move([8], "pg3");
    assert.deepEqual(await cluster.move([8], "pg3"), [undefined]);
    const spread: string[] = [];
    for (const name of ["home", "pg2", "pg3"]) {
      const lines = await cluster.contents(name);
      assert.ok(lines.length > 10, name);
      assert.deepEqual(await cluster.traces(name), []);
      spread.push(...lines);
    }
    assert.deepEqual(spread.sort(), there);
    const listed = await listBuckets(cluster.urls);
    assert.deepEqual(
      listed.map((one) => one.server),
      all.map((bucket) => ([9, long].includes(bucket) ? "pg2" : bucket === 8 ? "pg3" : "home")),
    );
    assert.ok(
      listed.every(({ state, movingTo, leftOn }) => state === "serving" && !movingTo && !leftOn.length),
    );
  });

  test("G1 a mover that is killed in any phase goes on where it was; at no moment two servers hold the bucket", async () => {
    let [from, to] = ["home", "pg2"];
    for (const phase of phases) {
      // In the others nothing is open that a process takes along.
      if (killed.has(phase)) await killedIn(cluster, long, phase, to);
      else await assert.rejects(cluster.move([long], to, dying(phase)), /dies in/);
      const states: Partial<Record<BucketPhase, string>> = {
        rest: "frozen",
        release: "frozen",
        hold: "between",
      };
      const isSwitched = phase === "clean";
      const { server, movingTo, leftOn, state } = (await found()) as ListedBucket;
      assert.deepEqual(
        { server, movingTo, leftOn, state },
        {
          server: isSwitched ? to : from,
          movingTo: isSwitched ? undefined : to,
          leftOn: isSwitched ? [from] : [],
          state: states[phase] ?? "serving",
        },
        phase,
      );
      await cluster.move([long], to);
      for (const name of ["home", "pg2"]) assert.deepEqual(await cluster.traces(name), [], phase);
      [from, to] = [to, from];
    }
  });

  test("a move is undone as long as the source holds the bucket, and finished after", async () => {
    assert.deepEqual(await cluster.abort(long, 2), [false, false]);
    for (const phase of ["copy", "follow", "rest"] as const) {
      await assert.rejects(cluster.move([long], "pg2", dying(phase)), /dies in/);
      assert.deepEqual(await cluster.abort(long, 2), [true, false], phase);
      const { server, state, movingTo } = (await found()) as ListedBucket;
      assert.deepEqual([server, state, movingTo], ["home", "serving", undefined]);
      assert.deepEqual(await cluster.contents("pg2"), []);
      for (const name of ["home", "pg2"]) assert.deepEqual(await cluster.traces(name), [], phase);
    }
    await assert.rejects(cluster.move([long], "pg2", dying("hold")), /dies in/);
    await assert.rejects(cluster.abort(long), { code: "unsuitable", message: /has left home already/ });
  });

  test("what differs is found before the switch, and writes go on at the source", async () => {
    // By a trigger that spoils what comes in; and by a change that no note was made of, when nothing is written any more.
    const missed = (table: string, column: string): readonly [string, string] => [
      `ALTER TABLE hongyan.${table} DISABLE TRIGGER changed_1; UPDATE hongyan.${table} SET ${column} = ${column} + 1`,
      `UPDATE hongyan.${table} SET ${column} = ${column} - 1`,
    ];
    const undo = "DROP FUNCTION hongyan.spoil CASCADE";
    for (const [phase, at, [change, back], table] of [
      ["copy", "pg2", [onInsert("entries_1", "NEW.time = NEW.time + 1"), undo], "entries"],
      ["copy", "pg2", [onInsert("logs", "NEW.trimmed = 7"), undo], "logs"],
      ["rest", "home", missed("cursors_1", "position"), "cursors"],
      ["rest", "home", missed("entries_1", "time"), "entries"],
    ] as const) {
      await assert.rejects(
        cluster.move([long], "pg2", (begun) => {
          if (begun === phase) queryNow(cluster.url(at), change);
        }),
        (error: Error) => error instanceof MismatchError && error.message.includes(`: ${table} differ: `),
      );
      const { server, state, movingTo } = (await found()) as ListedBucket;
      assert.deepEqual([server, state, movingTo], ["home", "serving", "pg2"]);
      await cluster.abort(long);
      await query(cluster.url(at), back);
    }
  });

  test("G1 G2 G3 G5 two nodes write, resend and trim without a pause while buckets move, and movers are killed", async (t) => {
    const busy = await BucketCluster.make(server, ["pg2"]);
    const nodes = await Promise.all(Array.from({ length: 2 }, () => busy.open()));
    t.after(() => Promise.all(nodes.map((node) => node.close())));
    const names = Array.from({ length: 200 }, (_, n) => `busy/${n}`);
    const logs = [3, 12].flatMap((bucket) => names.filter((log) => bucketOf(log) === bucket).slice(0, 4));
    const writers = [...nodes, ...nodes].map(
      (node, n) => new BusyWriter(node, `writer ${n}`, n % 2 === 0 ? logs : logs.toReversed()),
    );
    const heldMs: number[] = [];
    const move = async (buckets: readonly number[], to: string): Promise<void> => {
      for (const moved of await busy.move(buckets, to))
        if (moved?.heldMs !== undefined) heldMs.push(moved.heldMs);
    };
    let [to, other] = ["pg2", "home"];
    for (const phase of ["follow", "rest", "hold", "switch"] as const) {
      if (phase === "hold") await killedIn(busy, 3, phase, to);
      else await assert.rejects(busy.move([3], to, dying(phase)), /dies in/);
      await move([3], to);
      [to, other] = [other, to];
    }
    await Promise.all(writers.map((writer) => writer.stop()));
    const entries = await BusyWriter.check(writers, busy.urls);
    t.diagnostic(
      `${entries} entries; ${heldMs.length} moves held writes for ${Math.round(Math.min(...heldMs))} to ${Math.round(Math.max(...heldMs))} ms`,
    );
  });

  test("G3 a transaction that was prepared and not decided is waited for, and its entry arrives", async () => {
    const node = new Client(cluster.url("home"));
    await node.connect();
    await node.query(
      `BEGIN; SELECT FROM hongyan.placement;
       INSERT INTO hongyan.entries (log, seq, time, number, body)
       SELECT log, 2001, 1, 0, 'late' FROM hongyan.entries_1 WHERE seq = 2000;
       PREPARE TRANSACTION 'late'`,
    );
    await node.end();
    let isMoved = false;
    const moving = cluster.move([long], "pg2").then(() => {
      isMoved = true;
    });
    const waiting = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'";
    while ((await query(cluster.url("home"), waiting)).length === 0) assert.ok(!isMoved);
    await query(cluster.url("home"), "COMMIT PREPARED 'late'");
    await moving;
    const late = "FROM hongyan.entries WHERE seq = 2001";
    assert.deepEqual(await query(cluster.url("pg2"), `SELECT body ${late}`), [{ body: Buffer.from("late") }]);
    await cluster.move([long], "home");
    await query(cluster.url("home"), `DELETE ${late}`);
  });

  test("G1 whoever writes without looking at the placement is found out, and writes nothing where the bucket was", async () => {
    const write = `INSERT INTO hongyan.entries (log, seq, time, number, body)
      SELECT log, 2001, 1, 0, 'x' FROM hongyan.logs JOIN hongyan.entries_1 ON log = id WHERE seq = 2000`;
    await assert.rejects(
      cluster.move([long], "pg2", (phase) => {
        if (phase === "release") queryNow(cluster.url("home"), write);
      }),
      {
        code: "unsuitable",
        message: /^Bucket 1 was written to on home while it takes no writes: a node runs without/,
      },
    );
    const { server, state, movingTo } = (await found()) as ListedBucket;
    assert.deepEqual([server, state, movingTo], ["home", "serving", "pg2"]);
    await cluster.move([long], "pg2");
    assert.deepEqual(
      await query(cluster.url("pg2"), "DELETE FROM hongyan.entries WHERE seq = 2001 RETURNING 1 AS n"),
      [{ n: 1 }],
    );
    const id = "'10000000-0000-0000-0000-000000000000'";
    for (const [table, rest] of [
      ["entries (log, seq, time, number)", "1, 1, 1"],
      ["cursors", `'', '', ''`],
    ])
      await assert.rejects(
        query(
          cluster.url("home"),
          table === "cursors"
            ? `INSERT INTO hongyan.cursors VALUES (1, ${id}, ${rest})`
            : `INSERT INTO hongyan.${table} VALUES (${id}, ${rest})`,
        ),
        { code: "23514" },
      );
  });

  test("a mover that was taken over does nothing any more, whatever it is about to do", async (t) => {
    const sides = await Promise.all(
      ["old", "new"].map(async (mover) => {
        const [home, pg2] = await Promise.all(
          ["home", "pg2"].map((name) => ServerConnection.open(name, cluster.url(name))),
        );
        t.after(() => Promise.all([home?.close(), pg2?.close()]));
        return [
          new BucketSide(home as ServerConnection, long, mover),
          new BucketSide(pg2 as ServerConnection, long, mover),
        ] as const;
      }),
    );
    const [[oldSource, oldTarget], [source, target]] = sides as [Sides, Sides];
    await assert.rejects(cluster.move([long], "pg2", dying("release")), /dies in/);
    for (const side of [oldSource, oldTarget, source, target]) await side.takeOver();
    const takenOver = { code: "occupied", message: "Another mover has taken over bucket 1" };
    const nothing = async (): Promise<void> => {};
    await assert.rejects(oldSource.work(nothing), takenOver);
    await assert.rejects(oldTarget.work(nothing), takenOver);
    await assert.rejects(oldSource.freeze(), takenOver);
    await source.freeze();
    await assert.rejects(oldSource.thaw(), takenOver);
    await assert.rejects(oldSource.release(), takenOver);
    await source.release();
    await assert.rejects(oldTarget.hold(), takenOver);
    await assert.rejects(oldTarget.clean(), takenOver);
    await target.hold();
    await assert.rejects(oldTarget.work(nothing), takenOver);
    await assert.rejects(oldTarget.clean(), { code: "occupied", message: /holds bucket 1/ });
    await assert.rejects(oldSource.clean(), takenOver);
  });

  test("a server that ends connections: the move ends in words before the switch, and goes on after it", async () => {
    const cut = (name: string): void =>
      queryNow(
        cluster.url(name),
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'hongyan'`,
      );
    for (const name of ["home", "pg2"])
      await assert.rejects(
        cluster.move([long], "pg2", (phase) => {
          if (phase === "compare") cut(name);
        }),
        { code: "unreachable", message: new RegExp(`^${name} .* cannot be reached`) },
      );
    const cutAt = new Set<BucketPhase>(["hold", "switch"]);
    await cluster.move([long], "pg2", (phase) => {
      if (cutAt.delete(phase)) cut(phase === "hold" ? "pg2" : "home");
    });
  });

  test("whoever must not move is told why", async () => {
    const other = new Client(cluster.url("home"));
    await other.connect();
    await other.query("SELECT pg_advisory_lock(hashtext('hongyan.buckets'))");
    await assert.rejects(cluster.move([2], "pg2"), {
      code: "occupied",
      message: /^home .*: another command moves buckets; one at a time does/,
    });
    await other.end();
    await cluster.move([long], "pg2");
    await assert.rejects(cluster.move([long], "home", dying("freeze")), /dies in/);
    await assert.rejects(cluster.move([long], "pg3"), {
      code: "occupied",
      message: "Bucket 1 moves to home already: finish that, or undo it with --abort",
    });
    const urls = new Map(cluster.urls);
    const open = (): Promise<unknown> => listBuckets(urls);
    urls.delete("pg2");
    await assert.rejects(open(), {
      code: "unsuitable",
      message: /on the server pg2, which postgres.servers does not/,
    });
    urls.set("pg2", "postgres://x@127.0.0.1:1/x");
    await assert.rejects(open(), { code: "unreachable", message: /^pg2 \(.*\) cannot be reached: / });
    urls.set("pg2", cluster.url("pg3"));
    await assert.rejects(open(), { code: "foreign", message: /^pg2 .* is the server pg3 of the cluster/ });
    const empty = await server.createDatabase("STRATEGY file_copy");
    urls.set("pg2", empty);
    await assert.rejects(open(), {
      code: "unsuitable",
      message: /^pg2 .* belongs to no cluster yet: start a node/,
    });
    const store = await PostgresStore.open({ url: empty });
    await assert.rejects(open(), { code: "foreign", message: /belongs to another cluster \(epoch .+\)/ });
    await store.close();
    await query(empty, "UPDATE hongyan.meta SET version = version - 1");
    await assert.rejects(open(), { code: "unsuitable", message: /is of an older version/ });
    await query(empty, "UPDATE hongyan.meta SET version = version + 2");
    await assert.rejects(open(), { code: "newer_format" });
  });
});

type Sides = readonly [BucketSide, BucketSide];

function dying(phase: BucketPhase): (at: BucketPhase) => void {
  return (at) => {
    if (at === phase) throw new Error(`dies in ${phase}`);
  };
}

/** Spoils what is put into a table. */
function onInsert(table: string, change: string): string {
  return `CREATE OR REPLACE FUNCTION hongyan.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${change}; RETURN NEW; END $$;
    CREATE TRIGGER spoil BEFORE INSERT ON hongyan.${table} FOR EACH ROW EXECUTE FUNCTION hongyan.spoil()`;
}

/** For where nobody waits: it is done when this returns. */
function queryNow(url: string, text: string): void {
  const program = `import { Client } from "pg"; const c = new Client(process.argv[1]); await c.connect(); await c.query(process.argv[2]); await c.end()`;
  execFileSync(process.execPath, ["--input-type=module", "-e", program, url, text], {
    cwd: import.meta.dirname,
  });
}
