import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Batch } from "@hongyan/core";
import { PlacedStore, type PlacedStoreOptions, PostgresStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { digestOf } from "../../src/digest.ts";
import { bucketOf } from "../../src/postgres/bucket.ts";
import { PostgresCopy } from "../../src/postgres/postgres-copy.ts";
import { append, bodies, bodiesTo, commit, everything, until } from "../data.ts";
import { query } from "./databases.ts";
import { PlacedDatabases } from "./placed-databases.ts";
import { WireCutter } from "./wire-cutter.ts";

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

/** Resolves once it is so. */
async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(20);
}

suite("PlacedStore", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  let placed: PlacedDatabases;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off", max_prepared_transactions: "30" } });
    placed = await PlacedDatabases.make(server);
  });
  after(() => server.stop());

  async function openNode(t: TestContext, options: Partial<PlacedStoreOptions> = {}): Promise<PlacedStore> {
    const node = await placed.open({ poolMax: 4, ...options });
    t.after(() => node.close());
    return node;
  }

  /** A name of a log that is on a server. */
  function logOn(name: string, stem: string): string {
    for (let i = 0; ; i++) {
      const log = `${stem} ${i}`;
      if (placed.nameOf(bucketOf(log)) === name) return log;
    }
  }

  /** On all the servers, and a record. */
  function wide(stem: string, number: number): Batch & { readonly logs: string[] } {
    const logs = placed.names.map((name) => logOn(name, stem));
    return {
      logs,
      appends: logs.map((log) => append(log, number)),
      advances: logs.map((log) => ({ log, reader: "r", position: number })),
      puts: [{ key: stem, value: Buffer.from(`${number}`) }],
    };
  }

  async function shown(store: PlacedStore, { logs, puts }: ReturnType<typeof wide>): Promise<unknown> {
    const [record] = await store.records([puts[0]?.key ?? ""]);
    return {
      heads: await store.heads(logs),
      positions: await store.positions(logs.map((log) => ({ log, reader: "r" }))),
      record: record === undefined ? undefined : String(record.value),
    };
  }

  async function prepared(): Promise<number> {
    let count = 0;
    for (const name of placed.names)
      count += (
        await query(placed.url(name), "SELECT FROM pg_prepared_xacts WHERE database = current_database()")
      ).length;
    return count;
  }

  for (const { moment, lands } of [
    { moment: "prepared", lands: false },
    { moment: "decided", lands: true },
    { moment: "committed one", lands: true },
  ] as const) {
    test(`G1 G2 a node that dies when a commit is ${moment} leaves nothing half: others end it`, async (t) => {
      const other = await openNode(t, { doubtMsMax: 100 });
      const wires = new Map<string, { readonly wire: WireCutter; readonly url: string }>();
      for (const name of placed.names) wires.set(name, await WireCutter.to(placed.url(name)));
      const url = (name: string) => wires.get(name)?.url ?? "";
      let reached: string | undefined;
      const node = await PlacedStore.open({
        url: url("home"),
        servers: new Map([...placed.servers.keys()].map((name) => [name, url(name)])),
        at: async (now) => {
          if (now !== moment) return;
          reached = now;
          await Promise.all([...wires.values()].map(({ wire }) => wire.close()));
        },
      });
      t.after(() => node.close());
      const batch = wide(moment, 1);
      await assert.rejects(node.commit(batch), { code: "failed" });
      assert.equal(reached, moment);
      await eventually(async () => (await prepared()) === 0);
      const all = { heads: [1, 1, 1], positions: [1, 1, 1], record: "1" };
      const none = { heads: [0, 0, 0], positions: [0, 0, 0], record: undefined };
      assert.deepEqual(await shown(other, batch), lands ? all : none);
      const { appends } = await other.commit({ ...batch, advances: [] });
      assert.deepEqual(
        appends.map(({ status, seq }) => `${status} ${seq}`),
        batch.logs.map(() => (lands ? "duplicate 1" : "stored 1")),
      );
    });
  }

  test("G2 G3 a coordinator that is too late, as others have decided, begins anew", async (t) => {
    let tries = 0;
    const node = await openNode(t, {
      at: async (now) => {
        if (now === "prepared" && ++tries === 1) await eventually(async () => (await prepared()) === 0);
      },
    });
    const other = await openNode(t, { doubtMsMax: 50 });
    const batch = wide("late", 1);
    const { appends, puts } = await node.commit(batch);
    assert.deepEqual(
      appends.map(({ status, seq }) => `${status} ${seq}`),
      batch.logs.map(() => "stored 1"),
    );
    assert.deepEqual(puts, [1]);
    assert.ok(tries >= 2);
    assert.deepEqual(await shown(other, batch), { heads: [1, 1, 1], positions: [1, 1, 1], record: "1" });
  });

  test("G4 a node that comes back has ended what it had prepared, before it takes commits", async (t) => {
    const east = await WireCutter.to(placed.url("east"));
    t.after(() => east.wire.close());
    const node = await openNode(t, {
      servers: new Map([...placed.servers, ["east", east.url]]),
      at: async (now) => {
        if (now === "decided") east.wire.cut();
      },
    });
    const batch = wide("back", 1);
    await assert.rejects(node.commit(batch), { code: "failed" });
    await assert.rejects(commit(node, append(logOn("west", "elsewhere"), 1)), { code: "failed" });
    await insist(() => node.commit({ appends: [], advances: [], puts: [] }));
    assert.deepEqual(await shown(node, batch), { heads: [1, 1, 1], positions: [1, 1, 1], record: "1" });
  });

  test("G2 G3 nodes that commit over all servers at once, in any order, never wait in a circle", async (t) => {
    const nodes = await Promise.all([openNode(t), openNode(t), openNode(t)]);
    const rounds = 12;
    const decisions = async () => (await query(placed.home, "SELECT FROM hongyan.decisions")).length;
    const before = await decisions();
    const { logs, puts } = wide("circle", 0);
    await Promise.all(
      nodes.map(async (node, n) => {
        for (let round = 1; round <= rounds; round++) {
          const order = logs.map((_, i) => logs[(i + n + round) % logs.length] as string);
          await node.commit({
            appends: order.map((log) => ({ ...append(log, round), producer: `node ${n}` })),
            advances: order.map((log) => ({ log, reader: "r", position: round * 3 + n })),
            puts,
          });
        }
      }),
    );
    const [node] = nodes;
    for (const log of logs) {
      const seqs = (await node.read(log, 0, everything)).map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        Array.from({ length: rounds * nodes.length }, (_, i) => i + 1),
      );
    }
    const [record] = await node.records(["circle"]);
    assert.equal(record?.version, rounds * nodes.length);
    await eventually(async () => (await decisions()) === before);
  });

  test("G10 nothing lands behind the removal of its sender, on whatever server the log is", async (t) => {
    const [one, two] = await Promise.all([openNode(t), openNode(t)]);
    const logs = Array.from({ length: 30 }, (_, i) => `group ${i}`);
    await Promise.all(
      logs.map(async (log, i) => {
        const removed = pause(i * 5).then(() =>
          one.commit({
            appends: [{ ...append(log, 1, "removed"), producer: "backend" }],
            advances: [],
            puts: [{ key: `gone ${log}`, value: Buffer.from("x") }],
          }),
        );
        for (let n = 1; ; n++) {
          const { appends } = await two.commit({
            appends: [{ ...append(log, n, "message"), guard: 0 }],
            advances: [],
            puts: [{ key: `gone ${log}`, value: undefined, expect: 0 }],
            inParts: true,
          });
          if (appends[0]?.status === "refused") break;
        }
        await removed;
      }),
    );
    for (const log of logs) {
      const found = await bodies(one, log);
      assert.equal(found.indexOf("removed"), found.length - 1, `${log}: ${found.join()}`);
    }
  });

  test("a commit over all servers gets its turn, where others write to its logs without a pause", async (t) => {
    const one = await openNode(t);
    const logs = placed.names.flatMap((name) =>
      Array.from({ length: 8 }, (_, i) => logOn(name, `busy ${name} ${i}`)),
    );
    let isOver = false;
    const other = await openNode(t);
    const others = logs.map(async (log) => {
      for (let n = 1; !isOver; n++)
        await other.commit({
          appends: [{ ...append(log, n), producer: "other" }],
          advances: [],
          puts: [],
          inParts: true,
        });
    });
    for (let n = 1; n <= 5; n++) {
      // Time enough to be trusted again: from then on the other node locks nothing.
      await pause(300);
      const { puts } = await one.commit({
        appends: logs.map((log) => append(log, n)),
        advances: [],
        puts: [{ key: "busy", value: Buffer.from(`${n}`) }],
      });
      assert.deepEqual(puts, [n]);
    }
    isOver = true;
    await Promise.all(others);
  });

  test("G2 puts that guard nothing are answered as well, where the entries beside them are on several servers", async (t) => {
    const node = await openNode(t);
    const logs = placed.names.map((name) => logOn(name, "look"));
    const look = { value: undefined, expect: 0 };
    const { puts, appends } = await node.commit({
      appends: logs.map((log) => ({ ...append(log, 1), guard: 0 })),
      advances: [],
      puts: [
        { key: "none", ...look },
        { key: "none as well", ...look },
      ],
      inParts: true,
    });
    assert.deepEqual(puts, [0, 0]);
    assert.deepEqual(
      appends.map(({ seq }) => seq),
      [1, 1, 1],
    );
  });

  for (const { sent, knows } of [
    { sent: 0, knows: "does not know the log" },
    { sent: 3, knows: "trusts what it remembers of the log" },
  ]) {
    test(`G10 a removal that is committed while a node waits for it is seen, where the node ${knows}`, async (t) => {
      const two = await openNode(t);
      const log = logOn("east", `trap ${sent}`);
      const message = (n: number) => ({
        appends: [{ ...append(log, n), guard: 0 }],
        advances: [],
        puts: [{ key: `gone ${log}`, value: undefined, expect: 0 }],
        inParts: true,
      });
      for (let n = 1; n <= sent; n++) await two.commit(message(n));
      let outcome: ReturnType<PlacedStore["commit"]> | undefined;
      const one = await openNode(t, {
        at: async (now) => {
          if (now !== "prepared") return;
          outcome = two.commit(message(sent + 1));
          await eventually(async () => {
            const waiting = await query(
              placed.url("east"),
              `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
            );
            return waiting.length > 0;
          });
        },
      });
      await one.commit({
        appends: [{ ...append(log, 1, "removed"), producer: "backend" }],
        advances: [],
        puts: [{ key: `gone ${log}`, value: Buffer.from("x") }],
      });
      assert.equal((await outcome)?.appends[0]?.status, "refused");
      assert.equal((await bodies(two, log)).at(-1), "removed");
    });
  }

  async function setPlacement(name: string, change: string): Promise<void> {
    await query(
      placed.url(name),
      `BEGIN; LOCK TABLE hongyan.placement IN ACCESS EXCLUSIVE MODE;
       UPDATE hongyan.placement SET version = version + 1, ${change}; COMMIT`,
    );
  }

  /** All rows of a log, there and back; by then nobody writes it. */
  async function moveRows(log: string, from: string, to: string): Promise<void> {
    const id = `'${digestOf(log).toString("hex")}'`;
    for (const [table, key] of [
      ["logs", "id"],
      ["entries", "log"],
      ["cursors", "log"],
    ]) {
      const [row] = await query(
        placed.url(from),
        `SELECT json_agg(found)::text AS rows FROM hongyan.${table} AS found WHERE ${key} = ${id}`,
      );
      await query(
        placed.url(to),
        `INSERT INTO hongyan.${table} SELECT * FROM json_populate_recordset(null::hongyan.${table}, '${row?.rows}')`,
      );
      await query(placed.url(from), `DELETE FROM hongyan.${table} WHERE ${key} = ${id}`);
    }
  }

  test("G1 G2 a bucket that takes no writes is read, and written where it is once it takes them", async (t) => {
    t.after(() => placed.spread());
    const node = await openNode(t);
    const log = logOn("east", "moved");
    const bucket = bucketOf(log);
    await commit(node, append(log, 1));
    await node.commit({ appends: [], advances: [{ log, reader: "r", position: 1 }], puts: [] });
    await setPlacement("east", `frozen = '{${bucket}}'`);
    let isWritten = false;
    const written = commit(node, append(log, 2)).then((outcomes) => {
      isWritten = true;
      return outcomes;
    });
    await pause(100);
    assert.equal(isWritten, false);
    assert.deepEqual(await bodies(node, log), bodiesTo(1));
    await setPlacement("east", "frozen = '{}'");
    assert.deepEqual(await written, [{ status: "stored", seq: 2, time: 1 }]);

    await setPlacement("east", `held = array_remove(held, ${bucket})`);
    const found = bodies(node, log);
    const heads = node.heads([log, logOn("home", "moved")]);
    await moveRows(log, "east", "west");
    await setPlacement("west", `held = held || ${bucket}`);
    await query(placed.home, `UPDATE hongyan.buckets SET server = 'west' WHERE bucket = ${bucket}`);
    assert.deepEqual(await found, bodiesTo(2));
    assert.deepEqual(await heads, [2, 0]);
    assert.equal(await node.find(log, "p", 2), 2);
    assert.deepEqual(await node.positions([{ log, reader: "r" }]), [1]);
    assert.deepEqual(await commit(node, append(log, 2), append(log, 3)), [
      { status: "duplicate", seq: 2, time: 1 },
      { status: "stored", seq: 3, time: 1 },
    ]);
    assert.equal(
      (
        await query(
          placed.url("east"),
          `SELECT FROM hongyan.logs WHERE id = '${digestOf(log).toString("hex")}'`,
        )
      ).length,
      0,
    );

    // Without a word: a node that reads where the rows have been does not take it for the truth.
    const other = await openNode(t);
    assert.deepEqual(await other.heads([log]), [3]);
    await setPlacement("west", `held = array_remove(held, ${bucket})`);
    await moveRows(log, "west", "east");
    await setPlacement("east", `held = held || ${bucket}`);
    assert.deepEqual(await bodies(other, log), bodiesTo(3));
    await other.trim(log, 2);
    assert.deepEqual(
      (await other.read(log, 0, everything)).map(({ seq }) => seq),
      [3],
    );
  });

  test("nodes that start together, the first time with several servers, do not end each other's start", async (t) => {
    const [url, more] = [await server.createDatabase(), await server.createDatabase()];
    const nodes = await Promise.all(
      Array.from({ length: 4 }, () =>
        PlacedStore.open({ url, servers: new Map([["more", more]]), poolMax: 2 }),
      ),
    );
    t.after(() => Promise.all(nodes.map((node) => node.close())));
    assert.equal(new Set(nodes.map(({ epoch }) => epoch)).size, 1);
    for (const [nth, node] of nodes.entries())
      assert.equal((await insist(() => commit(node, append("together", nth + 1))))[0]?.seq, nth + 1);
  });

  test("databases that do not belong together are refused in words", async (t) => {
    await assert.rejects(PostgresStore.open({ url: placed.home }), {
      code: "unsuitable",
      message: /buckets on "east", "west": postgres\.servers must name/,
    });
    await assert.rejects(PostgresStore.open({ url: placed.url("east") }), {
      code: "foreign",
      message: /is the server "east" of a cluster/,
    });
    const refused = (servers: Record<string, string>, code: string, message: RegExp) =>
      assert.rejects(placed.open({ servers: new Map(Object.entries(servers)) }), { code, message });
    const [east, west] = [placed.url("east"), placed.url("west")];
    await refused({ east }, "unsuitable", /buckets on "west"/);
    await refused(
      { east: west, west: east },
      "foreign",
      /is the server "west" of the cluster, and not "east"|"east" of the cluster, and not "west"/,
    );
    await refused({ east, west, more: placed.home }, "foreign", /is the home of a cluster/);
    const used = await server.createDatabase("STRATEGY file_copy");
    const alone = await PostgresStore.open({ url: used });
    t.after(() => alone.close());
    await refused({ east, west, more: used }, "foreign", /is the home of a cluster/);

    // A node that knows of no other servers does not go on once there are some.
    await commit(alone, append("a", 1));
    const more = await server.createDatabase("STRATEGY file_copy");
    const joined = await PlacedStore.open({ url: used, servers: new Map([["more", more]]) });
    t.after(() => joined.close());
    // Empty, and not free for the data of another store.
    await assert.rejects(PostgresCopy.look(more, "of another store"), {
      code: "unsuitable",
      message: /does not have all of the data \(0 of 16 buckets\)/,
    });
    await until(() => alone.statistics.commitFailures > 0);
    await pause(200);
    await assert.rejects(commit(alone, append("a", 2)), { code: "failed" });
    assert.equal((await commit(joined, append("a", 2)))[0]?.seq, 2);
  });
});
