import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import type { Store } from "@hongyan/core";
import {
  compareMoved,
  finishMove,
  MovableStore,
  type Moved,
  type MoveProgress,
  move,
} from "@hongyan/store/copy";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { PostgresSnapshot, PostgresStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { MemoryKeyValue } from "../memory-key-value.ts";
import { query } from "../postgres/databases.ts";
import { contentsOf } from "./contents.ts";
import { fill } from "./filled.ts";

const never = new AbortController().signal;

suite("Moving to PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off" } });
  });
  after(() => server.stop());

  const newDatabase = (): Promise<string> => server.createDatabase("STRATEGY file_copy");

  test("G2 G3 everything is there, with its epoch, seqs, keys and versions; the old data are refused", async (t) => {
    const data = new Data(t);
    const { from, store } = await data.open();
    await fill(store, "main");
    await fill(store, "other", 5);
    const before = await contentsOf(from.copySource, "");
    const url = await newDatabase();
    const moved = await moveTo(url, from, store);
    assert.equal(moved.compared.entries, moved.copied.entries);
    assert.ok(moved.copied.entries > 2000);
    assert.deepEqual(await contentsAt(url), before);
    await compareMoved(from, url, never, () => {});
    const [again, next] = (
      await store.commit({
        appends: [
          { log: "main/conversation/long", producer: "np4", number: 4, time: 1, body: Buffer.from("n 4") },
          { log: "main/conversation/long", producer: "np4", number: 5000, time: 1, body: Buffer.from("new") },
        ],
        advances: [],
        puts: [],
      })
    ).appends;
    assert.deepEqual(again, { status: "duplicate", seq: 5, time: 4 });
    assert.deepEqual(next, { status: "stored", seq: 2001, time: 1 });
    await store.close();
    await assert.rejects(data.open(), { code: "moved", message: /moved to the PostgreSQL database "test_/ });
    const opened = await PostgresStore.open({ url });
    assert.equal(opened.epoch, from.epoch);
    await opened.close();
  });

  test("G1 G2 G3 G5 what is written all the time meanwhile is there, once, and waits for the switch only", async (t) => {
    const { from, store } = await new Data(t).open();
    await fill(store, "main", 10);
    const url = await newDatabase();
    const writer = new BusyWriter(store);
    const phases = new Set<string>();
    const moved = await moveTo(url, from, store, { report: ({ phase }) => phases.add(phase) });
    await writer.writes(50);
    await writer.stop();
    assert.deepEqual([...phases], ["copy", "compare", "stop", "moved"]);
    t.diagnostic(
      `${writer.acknowledged.size} written meanwhile, writes waited ${Math.round(moved.stopMs)} ms`,
    );
    assert.ok(writer.acknowledged.size > 100);
    await compareMoved(from, url, never, () => {});
    await writer.check(store);
    await store.close();
  });

  test("G1 one that dies goes on where it was, in whichever phase, and what was written in between is there", async (t) => {
    const data = new Data(t);
    const url = await newDatabase();
    let first = await data.open();
    await fill(first.store, "main", 10);
    for (const phase of ["copy", "compare", "stop"]) {
      const dies = ({ phase: at }: MoveProgress): void => {
        if (at === phase) throw new Error(`dies in ${phase}`);
      };
      await assert.rejects(
        moveTo(url, first.from, first.store, { report: dies }),
        new RegExp(`dies in ${phase}`),
      );
      await assert.rejects(PostgresStore.open({ url }), { code: "unfinished" });
      await first.store.close();
      first = await data.open();
      await fill(first.store, `after_${phase}`, 3);
      await first.store.commit({
        appends: [],
        advances: [],
        puts: [{ key: "main/user/eve", value: undefined }],
      });
      await first.store.trim("main/conversation/long", phase.length * 100);
    }
    const before = await contentsOf(first.from.copySource, "");
    const moved = await moveTo(url, first.from, first.store);
    assert.ok(moved.copied.entries < moved.compared.entries, "what was copied before is not copied again");
    assert.deepEqual(await contentsAt(url), before);
    await first.store.close();
  });

  test("G1 PostgreSQL that goes away at the switch: writes go on where they were, and the next run moves all", async (t) => {
    const { from, store } = await new Data(t).open();
    await fill(store, "main", 5);
    const url = await newDatabase();
    const writer = new BusyWriter(store);
    const open = async (): Promise<Store> => {
      await query(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'hongyan' AND datname = current_database()",
      );
      return PostgresStore.open({ url, opensCopy: true });
    };
    await assert.rejects(moveTo(url, from, store, { open }), {
      code: "unreachable",
      message: /cannot be reached: .*terminat/,
    });
    assert.equal(from.movedTo, undefined);
    await writer.writes(50);
    await moveTo(url, from, store);
    await writer.stop();
    await compareMoved(from, url, never, () => {});
    await writer.check(store);
    await store.close();
  });

  test("G1 one that dies when the source has its mark leaves both sides refused, until it is finished", async (t) => {
    const data = new Data(t);
    const url = await newDatabase();
    const { from, store } = await data.open();
    await fill(store, "main", 5);
    const before = await contentsOf(from.copySource, "");
    let waiting: Promise<unknown> | undefined;
    const dies = (): void => {
      waiting = store.commit({
        appends: [],
        advances: [],
        puts: [{ key: "main/late", value: Buffer.of(1) }],
      });
      waiting.catch(() => {});
      throw new Error("dies");
    };
    await assert.rejects(moveTo(url, from, store, { shared: dies }), /dies/);
    await assert.rejects(waiting as Promise<unknown>, /dies/);
    await assert.rejects(store.commit({ appends: [], advances: [], puts: [] }), /dies/);
    await store.close();
    await assert.rejects(data.open(), { code: "moved" });
    await assert.rejects(PostgresStore.open({ url }), { code: "unfinished" });
    await finishMove(url, from.epoch);
    await finishMove(url, from.epoch);
    await (await PostgresStore.open({ url })).close();
    assert.deepEqual(await contentsAt(url), before);
  });

  test("G1 what differs on the other side is found, with its log and seq, and nothing is moved", async (t) => {
    const { from, store } = await new Data(t).open();
    await fill(store, "main", 5);
    const url = await newDatabase();
    const stops = ({ phase }: MoveProgress): void => {
      if (phase === "stop") throw new Error("enough");
    };
    await assert.rejects(moveTo(url, from, store, { report: stops }), /enough/);
    const logs = "UPDATE hongyan.logs SET";
    const entries = "UPDATE hongyan.entries SET";
    const log = "(SELECT id FROM hongyan.logs WHERE name = 'main/conversation/long')";
    // What is done to the copy, how it is set right again, and what is said of it.
    const faults: readonly (readonly [fault: string, repair: string, message: RegExp])[] = [
      [
        `${entries} body = 'x' || body WHERE log = ${log} AND seq = 77`,
        `${entries} body = substring(body FROM 2) WHERE log = ${log} AND seq = 77`,
        /long, seq 77: the body differs/,
      ],
      [
        `${entries} time = time + 1 WHERE log = ${log} AND seq = 78`,
        `${entries} time = time - 1 WHERE log = ${log} AND seq = 78`,
        /long, seq 78: the time differs/,
      ],
      [
        `${entries} number = number + 100000 WHERE log = ${log} AND seq = 79`,
        `${entries} number = number - 100000 WHERE log = ${log} AND seq = 79`,
        /long, seq 79: the idempotency key differs/,
      ],
      [
        `${logs} head = head + 1 WHERE id = ${log}`,
        `${logs} head = head - 1 WHERE id = ${log}`,
        /long has 2001 entries in the copy and 2000 here/,
      ],
      [
        `${logs} trimmed = 9 WHERE id = ${log}`,
        `${logs} trimmed = 0 WHERE id = ${log}`,
        /long: trimmed is 0 in the data directory, 9 in the copy/,
      ],
      [
        `DELETE FROM hongyan.entries WHERE log = ${log} AND seq = 80`,
        "",
        /long, seq 80: it is missing in the copy/,
      ],
    ];
    for (const [fault, repair, message] of faults) {
      await query(url, fault);
      await assert.rejects(moveTo(url, from, store), message);
      await query(url, repair);
      assert.equal(from.movedTo, undefined);
    }
    await assert.rejects(PostgresStore.open({ url }), { code: "unfinished" });
    await store.close();
  });

  test("a target that is not empty, in use, or not there is refused, and the source goes on", async (t) => {
    const { from, store } = await new Data(t).open();
    await fill(store, "main", 2);
    const url = await newDatabase();
    const used = await PostgresStore.open({ url });
    await assert.rejects(moveTo(url, from, store), {
      code: "occupied",
      message: /is in use: .* connections/,
    });
    await fill(used, "theirs", 2);
    const theirs = await contentsAt(url);
    await assert.rejects(moveTo(url, from, store), { code: "occupied", message: /holds other data/ });
    await used.close();
    assert.deepEqual(await contentsAt(url), theirs);
    const begun = await newDatabase();
    const other = await new Data(t).open();
    const dies = ({ phase }: MoveProgress): void => {
      if (phase === "compare") throw new Error("dies");
    };
    await assert.rejects(moveTo(begun, other.from, other.store, { report: dies }), /dies/);
    await assert.rejects(moveTo(begun, from, store), {
      code: "occupied",
      message: /unfinished copy of other data/,
    });
    await other.store.close();
    const wrong = new URL(url);
    wrong.password = "wrong";
    await assert.rejects(moveTo(wrong.href, from, store), { code: "unauthorized" });
    await assert.rejects(moveTo(`${url}_not_there`, from, store), {
      code: "unsuitable",
      message: /does not exist/,
    });
    await assert.rejects(moveTo("postgres://u:p@127.0.0.1:1/d", from, store), { code: "unreachable" });
    await assert.rejects(moveTo("nonsense", from, store), { code: "unsuitable" });
    await assert.rejects(
      compareMoved(from, url, never, () => {}),
      /not moved yet/,
    );
    await store.commit({ appends: [], advances: [], puts: [{ key: "main/x", value: Buffer.of(1) }] });
    await store.close();
  });

  test("twice at once is refused; what is given up goes on later", async (t) => {
    const { from, store } = await new Data(t).open();
    await fill(store, "main", 5);
    const url = await newDatabase();
    const both = await Promise.allSettled([moveTo(url, from, store), moveTo(url, from, store)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const again = await new Data(t).open();
    const giveUp = new AbortController();
    const report = (): void => giveUp.abort(new Error("given up"));
    const target = await newDatabase();
    await fill(again.store, "main", 2);
    await assert.rejects(
      moveTo(target, again.from, again.store, { report, signal: giveUp.signal }),
      /given up/,
    );
    await fill(again.store, "more", 2);
    await moveTo(target, again.from, again.store);
    await Promise.all([store.close(), again.store.close()]);
  });

  async function contentsAt(url: string): Promise<string[]> {
    const snapshot = await PostgresSnapshot.open(url);
    try {
      return await contentsOf(snapshot.source, "");
    } finally {
      await snapshot.close();
    }
  }
});

/** Data of an embedded store, which outlive those who open them. */
class Data {
  readonly #pairs = new MemoryKeyValue().pairs;
  readonly #opened: EmbeddedStore[] = [];

  constructor(t: TestContext) {
    t.after(() => Promise.all(this.#opened.map((store) => store.close())));
  }

  async open(): Promise<{ readonly from: EmbeddedStore; readonly store: MovableStore }> {
    const from = await EmbeddedStore.over(new MemoryKeyValue(this.#pairs));
    this.#opened.push(from);
    return { from, store: new MovableStore(from) };
  }
}

interface Hooks {
  readonly report?: (progress: MoveProgress) => void;
  readonly shared?: () => void;
  readonly open?: () => Promise<Store>;
  readonly signal?: AbortSignal;
}

function moveTo(url: string, from: EmbeddedStore, store: MovableStore, hooks: Hooks = {}): Promise<Moved> {
  return move({
    store,
    from,
    url,
    open: () => PostgresStore.open({ url, opensCopy: true }),
    shared: () => {},
    report: () => {},
    signal: never,
    closing: never,
    ...hooks,
  });
}

/** Writes all the time, and knows what was acknowledged. */
class BusyWriter {
  /** Seq by log and number. */
  readonly acknowledged = new Map<string, number>();
  readonly #store: Store;
  readonly #positions = new Map<string, number>();
  #version = 0;
  #number = 0;
  #isWanted = true;
  #waiting: { readonly from: number; readonly resolve: () => void }[] = [];
  readonly #done: Promise<unknown>;

  constructor(store: Store) {
    this.#store = store;
    this.#done = Promise.all([this.#write(), this.#write()]);
    this.#done.catch(() => {});
  }

  /** Resolves when so many more are written. */
  async writes(count: number): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push({ from: this.#number + count, resolve }));
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#done;
  }

  async #write(): Promise<void> {
    while (this.#isWanted) {
      const number = ++this.#number;
      const log = `busy/conversation/${number % 23}`;
      const one = { log, producer: "nbusy", number, time: number, body: Buffer.from(`${number}`) };
      const put = { key: "busy/record", value: Buffer.from(`${number}`) };
      const [outcome, again] = await Promise.all([
        this.#store.commit({
          appends: [one],
          advances: [{ log, reader: "r", position: number }],
          puts: [put],
        }),
        this.#store.commit({
          appends: [one],
          advances: [],
          puts: [{ key: `busy/gone/${number % 5}`, value: number % 2 ? Buffer.of(1) : undefined }],
        }),
      ]);
      this.#version++;
      const [stored, repeated] = [outcome.appends[0], again.appends[0]];
      assert.equal(stored?.status, "stored");
      assert.equal(repeated?.status, "duplicate");
      assert.equal(repeated?.seq, stored?.seq);
      this.acknowledged.set(`${log} ${number}`, stored?.seq ?? 0);
      this.#positions.set(log, Math.max(number, this.#positions.get(log) ?? 0));
      for (const { from, resolve } of this.#waiting) if (number >= from) resolve();
      // Other work takes turns.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async check(store: Store): Promise<void> {
    const logs = [...this.#positions.keys()];
    let entries = 0;
    for (const log of logs) {
      const all = await store.read(log, 0, { count: 1e6, bytes: 1e9 });
      for (const [at, { seq, body }] of all.entries()) {
        assert.equal(seq, at + 1);
        assert.equal(this.acknowledged.get(`${log} ${Buffer.from(body)}`), seq);
      }
      entries += all.length;
    }
    assert.equal(entries, this.acknowledged.size, "nothing is lost, nothing is there twice");
    const positions = await store.positions(logs.map((log) => ({ log, reader: "r" })));
    assert.deepEqual(
      positions,
      logs.map((log) => this.#positions.get(log)),
    );
    const [record] = await store.records(["busy/record"]);
    assert.equal(record?.version, this.#version);
  }
}
