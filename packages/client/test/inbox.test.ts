import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import { World } from "./support/world.ts";

const pair = "alice:bob";

function fill(world: World, count: number, from = "alice", conversation = pair): void {
  for (let i = 1; i <= count; i++) world.server.append(conversation, from, `${from}${i}`);
}

test("the backlog of many senders comes in pages: N pages cost N + 1 requests, the next acknowledges the last", async () => {
  const world = new World();
  for (let i = 0; i < 10; i++) fill(world, 100, `u${i}`, `bob:u${i}`);
  const bob = await world.live("bob", { settings: { pageMessages: 250 } });
  assert.equal(bob.seen.length, 1000);
  await world.clock.advance(1_000);
  const requests = bob.network.up.filter(({ type }) => type === "sync" || type === "ack");
  assert.equal(requests.length, 5, requests.map(({ type }) => type).join());
  for (let i = 0; i < 10; i++) assert.equal(world.server.deliveredOf(`bob:u${i}`, "bob"), 100);
});

test("G4 a page that lost a message on the way is asked for again", async () => {
  const world = new World();
  fill(world, 50);
  const bob = world.person("bob");
  bob.network.dropNext("message", 3);
  await bob.client.start();
  await world.clock.until(() => bob.client.state.status === "live", "live");
  assert.equal(bob.seen.length, 50);
});

test("G4 a connection that dies in the middle of a page: none lost, none twice", async () => {
  const world = new World();
  fill(world, 300);
  const bob = world.person("bob", { settings: { pageMessages: 100 } });
  let messages = 0;
  bob.network.rule = (frame) => {
    if (frame.type === "message" && ++messages === 150) queueMicrotask(() => bob.network.cut());
    return 1;
  };
  await bob.client.start();
  await world.clock.until(() => bob.client.state.status === "live", "live");
  assert.deepEqual(
    bob.seen.map(({ seq }) => seq),
    Array.from({ length: 300 }, (_, i) => i + 1),
  );
});

test("G4 a session that is resumed before its last page came reads it again", async () => {
  const world = new World();
  fill(world, 10);
  const bob = world.person("bob");
  bob.network.rule = (frame) => {
    if (frame.type !== "sync.ok") return 1;
    bob.network.rule = () => 1;
    queueMicrotask(() => bob.network.cut());
    return 0;
  };
  await bob.client.start();
  await world.clock.until(() => bob.client.state.status === "live", "live");
  assert.equal(bob.seen.length, 10);
});

test("G8 what is held behind a hole is bounded; beyond, entries are let go and fetched again", async () => {
  const world = new World();
  const bob = await world.live("bob", { settings: { holdBackBytesMax: 20_000, pageMessages: 50 } });
  // Asking for the hole fails for a while, and messages keep coming.
  world.server.refuse = (command) => (command.type === "history" ? { code: "unavailable" } : undefined);
  bob.network.dropNext("message");
  fill(world, 500);
  await world.clock.advance(5_000);
  assert.equal(bob.seen.length, 0);
  world.server.refuse = undefined;
  const asked = bob.network.up.length;
  await world.clock.until(() => bob.seen.length === 500, "all seen");
  // 20,000 bytes hold fewer than 100 of them; the others come again, 50 at a time.
  const pages = bob.network.up.slice(asked).filter(({ type }) => type === "history").length;
  assert.ok(pages >= 8, `${pages} pages`);
  assert.deepEqual(
    bob.seen.map(({ seq }) => seq),
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
});

test("a hole is filled by what follows the position, without a new sync", async () => {
  const world = new World();
  const bob = await world.live("bob");
  const syncs = bob.network.up.filter(({ type }) => type === "sync").length;
  bob.network.dropNext("message", 2);
  fill(world, 5);
  await world.clock.until(() => bob.seen.length === 5, "all seen");
  assert.equal(bob.network.up.filter(({ type }) => type === "sync").length, syncs);
  const asked = bob.network.up.filter((frame) => frame.type === "history");
  assert.deepEqual(
    asked.map((frame) => frame.type === "history" && frame.after),
    [0],
  );
});

test("G4 a page that two answers to one question make up passes over nothing", async () => {
  const world = new World();
  const bob = await world.live("bob");
  bob.network.dropNext("message", 2);
  let isFirst = true;
  // The question was doubled on its way: of the answer with 1 to 5 the entry 2 is lost, and 6 comes from the other one.
  world.server.refuse = (command, peer) => {
    if (command.type !== "history" || !isFirst) return undefined;
    isFirst = false;
    const { id } = command;
    for (const entry of world.server.log(pair).entries)
      if (entry.seq !== 2) peer.write({ type: "message", id, conversation: pair, ...entry });
    peer.write({ type: "history.ok", id, count: 5, more: false });
    return undefined;
  };
  fill(world, 6);
  await world.clock.until(() => bob.seen.length === 6, "all seen");
  assert.deepEqual(
    bob.seen.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6],
  );
});

test("entries that are gone for good are passed over", async () => {
  const world = new World();
  const bob = await world.live("bob");
  world.server.isPushing = false;
  fill(world, 10);
  world.server.isPushing = true;
  // The server has let 1 to 4 go: its history begins at 5.
  const log = world.server.log(pair);
  const kept = log.entries.slice(4);
  log.entries.filter = ((test: (entry: (typeof kept)[0]) => boolean) =>
    kept.filter(test)) as typeof log.entries.filter;
  world.server.append(pair, "alice", "eleven");
  kept.push(log.entries[10] as (typeof kept)[0]);
  await world.clock.until(() => world.server.deliveredOf(pair, "bob") === 11, "acknowledged");
  assert.deepEqual(
    bob.seen.map(({ seq }) => seq),
    [5, 6, 7, 8, 9, 10, 11],
  );
});

test("G5 a handler that takes time: acknowledged only after it, one entry after another", async () => {
  const world = new World();
  const started: number[] = [];
  let finish: (() => void) | undefined;
  await world.live("bob", {
    onMessage: ({ seq }) => {
      started.push(seq);
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
  });
  fill(world, 3);
  for (let n = 1; n <= 3; n++) {
    await world.clock.advance(2_000);
    assert.equal(started.length, n);
    assert.equal(world.server.deliveredOf(pair, "bob"), n - 1);
    finish?.();
  }
  await world.clock.until(() => world.server.deliveredOf(pair, "bob") === 3, "acknowledged");
  assert.deepEqual(started, [1, 2, 3]);
});

test("G4 G5 a handler that throws sees the entry again; other conversations go on", async () => {
  const world = new World();
  let refusals = 3;
  const bob = await world.live("bob", {
    onMessage: ({ conversation, seq }) => {
      if (conversation === pair && seq === 2 && refusals-- > 0) throw new Error("not now");
    },
  });
  fill(world, 4);
  fill(world, 2, "zoe", "bob:zoe");
  await world.clock.settle();
  assert.deepEqual(bob.texts(pair), ["alice1"]);
  assert.equal(bob.texts("bob:zoe").length, 2);
  await world.clock.until(() => bob.texts(pair).length === 4, "all seen");
  assert.equal(world.server.deliveredOf(pair, "bob") <= 4, true);
  assert.equal(bob.errors.length, 3);
});

test("G4 the sender's other device gets what this one sends, once", async () => {
  const world = new World();
  const phone = await world.live("alice", { device: "phone" });
  const desk = await world.live("alice", { device: "desk" });
  phone.client.send(pair, "from the phone");
  desk.client.send(pair, "from the desk");
  await world.clock.until(() => phone.seen.length === 2 && desk.seen.length === 2, "both have both");
  assert.deepEqual(phone.seen, desk.seen);
});

test("another epoch: positions and messages are forgotten, the outbox stays", async () => {
  const world = new World();
  const storage = new MemoryStorage();
  const bob = await world.live("bob", { storage });
  fill(world, 5);
  await world.clock.until(() => bob.seen.length === 5, "seen");
  bob.network.isDown = true;
  bob.network.cut();
  const message = bob.client.send(pair, "kept");
  world.server.logs.clear();
  world.server.epoch = "epoch-2";
  world.server.append(pair, "alice", "a new beginning");
  bob.network.isDown = false;
  await world.clock.until(() => bob.sent.length === 1, "sent");
  await world.clock.until(() => world.server.deliveredOf(pair, "bob") === 2, "acknowledged");
  assert.deepEqual(bob.texts(pair).slice(5), ["a new beginning", "kept"]);
  assert.equal(bob.sent[0]?.clientMessageId, message.clientMessageId);
  assert.deepEqual(
    (await storage.messages(pair, { after: 0 }, 10)).map(({ seq }) => seq),
    [1, 2],
  );
});

test("a server whose cursor is ahead of this device fills what the device has lost", async () => {
  const world = new World();
  fill(world, 30);
  const lost = await world.live("bob", { device: "phone" });
  await world.clock.until(() => world.server.deliveredOf(pair, "bob") === 30, "acknowledged");
  await lost.client.stop();
  // The storage of this device is an older copy: it knows of nothing after 10.
  const storage = new MemoryStorage();
  const { conversations } = await lost.storage.load();
  storage.apply({
    ...(await lost.storage.load()),
    conversations: conversations.map((one) => ({ ...one, position: 10 })),
  });
  fill(world, 5);
  const bob = await world.live("bob", { device: "phone", storage, settings: { pageMessages: 3 } });
  await world.clock.until(() => bob.seen.length === 25, "the rest is seen");
  assert.deepEqual(
    bob.seen.map(({ seq }) => seq),
    Array.from({ length: 25 }, (_, i) => i + 11),
  );
});
