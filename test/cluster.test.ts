/**
 * The guarantees on three nodes over PostgreSQL and NATS, as real processes: through every door, and while nodes, the
 * database and the way between the nodes die.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { LaunchedServer } from "@hongyan/testkit";
import { Cluster, enginesMissing, type Place } from "./cluster.ts";
import { type Door, doors } from "./doors.ts";
import { Roamer } from "./roamer.ts";
import { WireClient } from "./wire-client.ts";

const patienceMs = 60_000;
/** Nobody says more while so much waits to be sent: a slow machine would not come to an end. */
const waitingMax = 20;

describe("three nodes", { skip: enginesMissing }, () => {
  let cluster: Cluster;
  let nodes: readonly [LaunchedServer, LaunchedServer, LaunchedServer];
  let names = 0;

  before(async () => {
    cluster = await Cluster.start(3, { repushAfterMs: 1000, drainMs: 200, drainRate: 50 });
    nodes = cluster.nodes as unknown as typeof nodes;
  });
  after(() => cluster.close());

  function join(door: Door, node: Place, user: string, device = "phone"): Promise<WireClient> {
    return WireClient.connect(door, node, { user, device, token: node.token(user) });
  }

  /** Requests of these find their connection from any node. */
  const held = doors.filter(({ name }) => /^(long|event)/.test(name));
  for (const [door, isAnywhere] of [
    ...doors.map((door) => [door, false] as const),
    ...held.map((door) => [door, true] as const),
  ]) {
    const how = isAnywhere ? "every request to any node" : "two write on two nodes";
    test(`G1 G3 G4 G7 through ${door.name}: ${how}, every device on every node sees one order`, async () => {
      const { anywhere } = cluster;
      const [one, two, three] = isAnywhere ? [anywhere, anywhere, anywhere] : nodes;
      const [alice, bob] = [`alice${++names}`, `bob${names}`];
      const conversation = `${alice}:${bob}`;
      const clients = [
        await join(door, one, alice),
        await join(door, two, bob),
        await join(door, three, alice, "laptop"),
      ] as const;
      for (const client of clients) await client.ask({ type: "sync" }, "sync.ok");
      const [phone, other] = clients;
      const sends = Array.from({ length: 25 }, (_, n) => [
        phone.send(conversation, `a${n}`, `${alice}:${n}`),
        other.send(conversation, `b${n}`, `${bob}:${n}`),
      ]).flat();
      const seqs = (await Promise.all(sends)).map(({ seq }) => seq);
      assert.deepEqual(
        seqs.toSorted((x, y) => x - y),
        Array.from({ length: 50 }, (_, n) => n + 1),
      );
      const again = await other.send(conversation, "b3", `${bob}:3`);
      assert.equal(again.seq, seqs[7], "G2 a resend is answered with the first seq");
      await join(door, three, bob, "tablet").then((tablet) => tablet.ask({ type: "sync" }, "sync.ok"));
      await allShown(clients, conversation, 50);
    });
  }

  test("G4 a device that comes back on another node has one session: the old one ends", async () => {
    const [one, two] = nodes;
    const [door] = doors as [Door];
    const user = `carol${++names}`;
    const old = await join(door, one, user);
    await old.ask({ type: "sync" }, "sync.ok");
    const fresh = await join(door, two, user);
    await fresh.ask({ type: "sync" }, "sync.ok");
    await old.untilClosed();
    assert.equal(old.of("close")[0]?.reason, "replaced");
    assert.equal(fresh.isClosed, false);
  });

  test("G7 who was removed on one node cannot write on another, nor read what came after", async () => {
    const [one, two] = nodes;
    const [door] = doors as [Door];
    const [owner, guest, group] = [`dora${++names}`, `eve${names}`, `g${names}`];
    const [there, here] = [await join(door, one, owner), await join(door, two, guest)];
    await there.ask({ type: "create", conversation: group, members: [guest] }, "create.ok");
    await here.send(group, "in time", `${guest}:1`);
    await there.ask({ type: "remove", conversation: group, users: [guest] }, "remove.ok");
    const refused = await here.ask(
      { type: "send", conversation: group, clientMessageId: `${guest}:2`, body: Buffer.from("too late") },
      "error",
    );
    assert.equal(refused.name, "not_found");
    await there.send(group, "secret", `${owner}:1`);
    const history = await here.ask({ type: "history", conversation: group }, "history.ok");
    assert.ok(history.count > 0);
    assert.ok(here.of("message").every(({ body }) => Buffer.from(body ?? []).toString() !== "secret"));
  });

  test("who is online is seen on every node, and a node that is killed leaves no ghosts", async () => {
    const [one, two, three] = nodes;
    const [door] = doors as [Door];
    const [fay, gus] = [`fay${++names}`, `gus${names}`];
    const watcher = await join(door, one, fay);
    await watcher.ask({ type: "presence", users: [gus], watch: true }, "presence.ok");
    assert.deepEqual(watcher.of("online"), []);
    const told = (online: boolean) =>
      watcher.until((frame) => frame.type === "online" && frame.user === gus && frame.online === online, gus);
    await join(door, two, gus);
    await told(true);
    const response = await fetch(`${three.httpUrl}/v1/online?users=${gus},nobody`, {
      headers: { authorization: `Bearer ${three.apiKey}` },
    });
    assert.deepEqual(await response.json(), { online: [gus] });
    await two.kill();
    await told(false);
    await supervised(two);
  });

  test("G1 G4 a rolling restart: each node sends its clients away bit by bit, and they lose nothing", {
    timeout: 240_000,
  }, async (t) => {
    const [tcp, stream] = ["tcp", "event stream"].map((name) => doors.find((door) => door.name === name)) as [
      Door,
      Door,
    ];
    const [x, y] = [`xiao${++names}`, `yang${names}`];
    const conversation = `${x}:${y}`;
    const roamers = [
      new Roamer(nodes, tcp, x, "phone", conversation),
      new Roamer([cluster.anywhere], stream, y, "page", conversation),
    ] as const;
    for (const roamer of roamers) roamer.start();
    t.after(() => Promise.all(roamers.map((roamer) => roamer.stop())));
    let said = 0;
    const saying = setInterval(() => {
      if (roamers.some(({ waiting }) => waiting > waitingMax)) return;
      said++;
      for (const roamer of roamers) roamer.say(`${roamer.user} ${said}`);
    }, 60);
    try {
      const [first] = nodes;
      const crowd = await Promise.all(
        Array.from({ length: 150 }, (_, n) => join(tcp, first, `crowd${n}x${names}`)),
      );
      for (const node of nodes) {
        assert.equal(await node.stop(), 0);
        await supervised(node);
      }
      const goodbyes = crowd.map((client) => client.of("close")[0]);
      assert.ok(goodbyes.every((frame) => frame?.reason === "going_away"));
      const hints = new Set(goodbyes.map((frame) => frame?.retryAfterMs));
      assert.ok(hints.size > 50 && !hints.has(undefined), "each with a hint of its own");
    } finally {
      clearInterval(saying);
    }
    const endMs = performance.now() + patienceMs;
    while (!roamers.every((roamer) => roamer.hasAll(2 * said)) && performance.now() < endMs) await pause(50);
    await Promise.all(roamers.map((roamer) => roamer.stop()));
    for (const { user, shown, faults, waiting } of roamers)
      assert.deepEqual([faults, waiting, shown.size], [[], 0, 2 * said], user);
  });

  test("G1 G2 G3 G4 nodes killed every two seconds, PostgreSQL twice, NATS away for five: nothing lost, nothing twice, one order", {
    timeout: 240_000,
  }, async (t) => {
    const [tcp] = doors.filter(({ name }) => name === "tcp");
    assert.ok(tcp);
    const [x, y] = [`xena${++names}`, `yuri${names}`];
    const conversation = `${x}:${y}`;
    const roamers = [
      new Roamer(nodes, tcp, x, "phone", conversation),
      new Roamer(nodes, tcp, y, "phone", conversation),
      new Roamer(nodes, tcp, x, "laptop", conversation),
      new Roamer(nodes, tcp, y, "tablet", conversation),
    ] as const;
    for (const roamer of roamers) roamer.start();
    t.after(() => Promise.all(roamers.map((roamer) => roamer.stop())));
    let said = 0;
    const saying = setInterval(() => {
      if (roamers.some(({ waiting }) => waiting > waitingMax)) return;
      said++;
      roamers[0].say(`x${said}`);
      roamers[1].say(`y${said}`);
    }, 60);
    const killing = (async () => {
      for (let n = 0; n < 4; n++) {
        await pause(1500);
        const node = nodes[n % 3] as LaunchedServer;
        await node.kill();
        await pause(500);
        await supervised(node);
      }
    })();
    const breaking = (async () => {
      await pause(3000);
      await cluster.postgres.restart("immediate");
      await pause(2000);
      await cluster.nats.kill();
      await pause(5000);
      await cluster.nats.start();
      await pause(1000);
      await cluster.postgres.restart("immediate");
    })();
    try {
      await Promise.all([killing, breaking]);
    } finally {
      clearInterval(saying);
    }
    const calmAtMs = performance.now();
    const head = 2 * said;
    while (!roamers.every((roamer) => roamer.hasAll(head))) {
      if (performance.now() - calmAtMs > patienceMs) break;
      await pause(50);
    }
    t.diagnostic(
      `${head} messages; everybody connected and up to date ${((performance.now() - calmAtMs) / 1000).toFixed(1)} s after the last fault`,
    );
    await Promise.all(roamers.map((roamer) => roamer.stop()));
    for (const { user, device, shown, faults, waiting } of roamers) {
      const name = `${user} on ${device}`;
      assert.deepEqual(faults, [], name);
      assert.equal(waiting, 0, `${name} has sent everything`);
      assert.equal(shown.size, head, `${name} has everything, and nothing twice`);
      const texts = Array.from({ length: head }, (_, at) => shown.get(at + 1));
      for (const sender of ["x", "y"])
        assert.deepEqual(
          texts.filter((text) => text?.startsWith(sender)),
          Array.from({ length: said }, (_, n) => `${sender}${n + 1}`),
          `${name} sees what ${sender} has said in its order`,
        );
      assert.deepEqual(
        texts,
        Array.from({ length: head }, (_, at) => roamers[0].shown.get(at + 1)),
        "one order",
      );
    }
  });
});

/** A node that finds no database or no NATS does not start; its supervisor tries again. */
async function supervised(node: LaunchedServer): Promise<void> {
  for (const endMs = performance.now() + patienceMs; ; ) {
    try {
      await node.start();
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await pause(200);
    }
  }
}

/** Everybody ends with the same texts in the same order. */
async function allShown(clients: readonly WireClient[], conversation: string, count: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  const textsOf = (client: WireClient) => {
    const bySeq = new Map(
      client
        .of("message")
        .filter((message) => message.conversation === conversation)
        .map(({ seq, body }) => [seq, Buffer.from(body ?? []).toString()]),
    );
    return bySeq;
  };
  const waiting = () =>
    clients.map((client) => `${textsOf(client).size}${client.isClosed ? " and closed" : ""}`).join(", ");
  // These acknowledge nothing: where all is slow, a node takes them for slow readers and says so.
  const told = new Map<WireClient, number>();
  const catchUp = (client: WireClient) => {
    const { length } = client.of("behind");
    if (length === (told.get(client) ?? 0)) return;
    told.set(client, length);
    client.post({ type: "sync" });
  };
  const wait = async (isShown: () => boolean) => {
    while (!isShown()) {
      clients.forEach(catchUp);
      const isHopeless = Date.now() > deadline || clients.some(({ isClosed }) => isClosed);
      assert.ok(!isHopeless, `not everybody was shown everything: ${waiting()} of ${count}`);
      await pause(20);
    }
  };
  const pushedTo = clients.slice(1);
  await wait(() => pushedTo.every((client) => textsOf(client).size >= count / 2));
  const last = clients.at(-1) as WireClient;
  await wait(() => textsOf(last).size >= count);
  const order = textsOf(last);
  for (const client of clients)
    for (const [seq, text] of textsOf(client)) assert.equal(text, order.get(seq), `G3 at ${seq}`);
}
