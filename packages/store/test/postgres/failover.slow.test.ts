/** A primary with a standby that streams from it, and takes over. */
import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { PostgresStore } from "@hongyan/store/postgres";
import { whyNoPostgres } from "@hongyan/testkit/postgres";
import { bucketOf } from "../../src/postgres/bucket.ts";
import { append, bodies, bodiesTo, commit, everything, until } from "../data.ts";
import { query } from "./databases.ts";
import { PlacedDatabases } from "./placed-databases.ts";
import { ReplicatedServer } from "./replicated-server.ts";

const patienceMs = 30_000;

const nothing = { appends: [], advances: [], puts: [] };

/** Asks again and again, until it is answered. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (const endMs = performance.now() + patienceMs; ; ) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

suite("PostgresStore: a standby takes over", { skip: whyNoPostgres() ?? false }, () => {
  let server: ReplicatedServer;
  before(async () => {
    server = await ReplicatedServer.start();
  });
  after(() => server.stop());

  /** `more`: parameters of the address. */
  async function openNodes(t: TestContext, count: number, more = "") {
    const url = `${await server.createDatabase()}${more}`;
    const warnings: string[] = [];
    const journal = {
      info: () => {},
      warn: (event: string, details?: Record<string, unknown>) => warnings.push(`${event} ${details?.error}`),
    };
    const nodes = await Promise.all(
      Array.from({ length: count }, () => PostgresStore.open({ url, journal })),
    );
    t.after(() => Promise.all(nodes.map((node) => node.close())));
    return { url, nodes: nodes as [PostgresStore, PostgresStore, PostgresStore], warnings };
  }

  test("G1 G3 a commit that waits for a standby that is gone is neither acknowledged nor seen, also when waiting is given up", async (t) => {
    // So long they wait for an answer, instead of 40 s.
    const { url, nodes, warnings } = await openNodes(t, 2, "?query_timeout=1500");
    const [one, other] = nodes;
    await commit(one, append("a", 1));
    await server.standby.shutDown("immediate");
    const hung = assert.rejects(commit(one, append("a", 2)), /Query read timeout/);
    await server.waiting(url, 1);
    await hung;
    await until(() => warnings.some((warning) => warning.startsWith("store.still_failed")));
    assert.deepEqual(await bodies(other, "a"), bodiesTo(1));
    // An operator ends the waiting of another one: PostgreSQL answers as if it were committed.
    const cancelled = assert.rejects(commit(other, append("b", 1)), /not known to be on the standby/);
    await server.waiting(url, 2);
    for (const pid of await server.waits(url)) await server.primary.sql(`SELECT pg_cancel_backend(${pid})`);
    await cancelled;
    await server.standby.start();
    await insist(() => one.commit(nothing));
    assert.equal((await commit(one, append("a", 2)))[0]?.status, "duplicate");
  });

  for (const { what, moment, isDecided } of [
    { what: "what it has prepared", moment: undefined, isDecided: false },
    { what: "a part of it", moment: "decided", isDecided: true },
  ])
    test(`G1 a commit over two servers is not acknowledged while ${what} is not on the standby`, async (t) => {
      const placed = await PlacedDatabases.make(server.primary, ["east"]);
      const log =
        Array.from({ length: 99 }, (_, n) => `log ${n}`).find((name) => bucketOf(name) % 2 === 1) ?? "";
      const node = await placed.open({
        poolMax: 2,
        at: async (now) => {
          if (now === moment) await server.standby.shutDown("immediate");
        },
      });
      t.after(() => node.close());
      const puts = [{ key: "member", value: Buffer.from("yes") }];
      const whole = { appends: [append(log, 1)], advances: [], puts };
      if (moment === undefined) await server.standby.shutDown("immediate");
      const cancelled = assert.rejects(node.commit(whole), /not known to be on the standby/);
      const east = placed.url("east");
      await server.waiting(east, 1);
      for (const pid of await server.waits(east))
        await server.primary.sql(`SELECT pg_cancel_backend(${pid})`);
      await cancelled;
      // A decision to commit is kept until all parts are where they must be.
      const decisions = await query(placed.home, "SELECT FROM hongyan.decisions WHERE committed");
      assert.equal(decisions.length, isDecided ? 1 : 0);
      await server.standby.start();
      await insist(() => node.commit(nothing));
      assert.deepEqual(await bodies(node, log), bodiesTo(isDecided ? 1 : 0));
    });

  test("G1 G3 G4 while the old primary still answers, a node is on one of the two with all that it reads and writes", async (t) => {
    const { url, nodes, warnings } = await openNodes(t, 1);
    const [late] = nodes;
    await commit(late, append("a", 1));
    assert.deepEqual(await bodies(late, "a"), bodiesTo(1));
    // The connections of this node still lead to the old primary, which has lost its standby to the others.
    const old = await server.promote();
    server.relay.lead(server.primary.port);
    const early = await PostgresStore.open({ url });
    t.after(() => early.close());
    await commit(early, append("a", 2), append("a", 3));
    // It waits on the old one, for a standby that is gone, and looks where its address leads.
    await assert.rejects(commit(late, append("b", 1)), {
      code: "failed",
      message: /leads to another server now/,
    });
    await insist(() => late.commit(nothing));
    assert.deepEqual(await bodies(late, "a"), bodiesTo(3));
    assert.equal((await commit(late, append("b", 1)))[0]?.status, "stored");
    // And an address that leads now to the one, now to the other.
    server.relay.lead(server.primary.port, old.port);
    server.relay.cut();
    await until(() => warnings.some((warning) => warning.includes("leads to 2 different servers")));
    server.relay.lead(server.primary.port);
    await insist(() => late.commit(nothing));
    assert.equal((await commit(late, append("a", 4)))[0]?.seq, 4);
    await server.replace(old);
  });

  test("G1 G2 G3 G5 the primary dies under load and the standby takes over: nothing acknowledged is lost, doubled or taken back", async (t) => {
    const { nodes } = await openNodes(t, 3);
    const logs = ["log 0", "log 1", "log 2"];
    const messages = new Map<string, { readonly log: string; readonly seq: number }>();
    const positions = logs.map(() => 0);
    const seen = logs.map((): string[] => []);
    let isLoaded = true;
    let turns = 0;
    const anyNode = () => nodes[turns++ % nodes.length] as PostgresStore;
    // A client that gets no answer comes back on another node, and sends the same again.
    const write = async (writer: number): Promise<void> => {
      for (let n = 1; isLoaded; n++) {
        const log = logs[n % logs.length] as string;
        const body = `${writer}/${n}`;
        const message = { ...append(log, n, body), producer: `writer ${writer}` };
        const [outcome] = await insist(() => commit(anyNode(), message));
        messages.set(body, { log, seq: outcome?.seq ?? 0 });
        const again = n % 10 === 0 ? await insist(() => commit(anyNode(), message)) : [];
        for (const { status, seq } of again)
          assert.deepEqual({ status, seq }, { status: "duplicate", seq: outcome?.seq });
      }
    };
    const read = async (nth: number): Promise<void> => {
      const log = logs[nth] as string;
      const reader = { log, reader: "reader" };
      while (isLoaded) {
        const after = positions[nth] as number;
        const page = await insist(() => anyNode().read(log, after, everything));
        for (const { seq, body } of page) {
          assert.equal(seen[nth]?.push(Buffer.from(body).toString()), seq);
        }
        const position = after + page.length;
        await insist(() => anyNode().commit({ ...nothing, advances: [{ ...reader, position }] }));
        positions[nth] = position;
        const [stored] = await insist(() => anyNode().positions([reader]));
        assert.equal(stored, position);
      }
    };
    const load = Promise.all([
      ...Array.from({ length: 12 }, (_, writer) => write(writer)),
      ...logs.map((_, nth) => read(nth)),
    ]);
    await until(() => messages.size > 300);
    await server.primary.kill();
    server.relay.cut();
    const old = await server.promote();
    server.relay.lead(server.primary.port);
    const promotedMs = performance.now();
    await until(() => nodes.every(({ statistics }) => statistics.recoveries > 0));
    t.diagnostic(`all nodes were back ${Math.round(performance.now() - promotedMs)} ms after the promotion`);
    const before = messages.size;
    await until(() => messages.size > before + 200);
    isLoaded = false;
    await load;
    for (const [nth, log] of logs.entries()) {
      const found = await bodies(nodes[0], log);
      const here = [...messages].filter(([, message]) => message.log === log);
      assert.equal(found.length, here.length, "every message is there once");
      for (const [body, { seq }] of here) assert.equal(found[seq - 1], body);
      assert.deepEqual(seen[nth], found.slice(0, seen[nth]?.length), "what was read has stayed");
    }
    await server.replace(old);
  });

  test("G3 a standby that was behind takes over: the nodes that know refuse it for all, until they are started anew", async (t) => {
    const { url, nodes, warnings } = await openNodes(t, 2);
    const [knowing, other] = nodes;
    await commit(other, append("b", 1));
    await server.primary.set({ synchronous_standby_names: "" });
    await server.standby.shutDown("fast");
    await commit(knowing, append("a", 1));
    await server.primary.kill();
    server.relay.cut();
    await server.standby.start();
    const old = await server.promote();
    server.relay.lead(server.primary.port);
    await until(() => warnings.some((warning) => /^store.lost .*entry 1 of a at the least/.test(warning)));
    await until(() => warnings.filter((warning) => /holds other data than before/.test(warning)).length >= 2);
    for (const node of nodes) await assert.rejects(node.commit(nothing), { code: "failed" });
    const anew = await PostgresStore.open({ url });
    t.after(() => anew.close());
    assert.notEqual(anew.epoch, knowing.epoch);
    assert.equal((await commit(anew, append("a", 2)))[0]?.seq, 1);
    // The old primary has lost nothing.
    await old.start();
    server.relay.lead(old.port);
    await insist(() => knowing.commit(nothing));
    assert.deepEqual(await bodies(knowing, "a"), bodiesTo(1));
  });
});
