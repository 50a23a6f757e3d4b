import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrameType } from "@hongyan/protocol";
import { world } from "../src/scenario.ts";

const six: readonly FrameType[] = ["send", "send.ok", "message", "ack", "ack.ok", "receipt"];

for (const packet of six) {
  test(`G2 G4 G5 a lost ${packet}: shown exactly once at B, exactly one "delivered" at A`, async (t) => {
    const scenario = await world(1);
    t.after(() => scenario.close());
    const { alice, bob, network } = scenario;
    await alice.send("alice:bob", "hello");
    await alice.showsStatus("alice:bob", "hello", "delivered");
    await scenario.pass(10_000);

    network.drop(packet);
    alice.says("alice:bob", "are you there?");
    await bob.sees("are you there?");
    await alice.showsStatus("alice:bob", "are you there?", "delivered");
    assert.equal(network.dropsPending, 0, `no ${packet} came by to be lost`);
    await scenario.pass(30_000);
    assert.equal(bob.shown("are you there?"), 1);
    assert.equal(alice.statuses("are you there?").filter((status) => status === "delivered").length, 1);
    await scenario.converges();
  });
}

test("G1 G4 the server dies between msg:A and msg:N: the message still arrives, once", async (t) => {
  const scenario = await world(2);
  t.after(() => scenario.close());
  const { alice, bob, network, server } = scenario;
  // The push is the moment: it leaves after the commit, and dies with the server that sends it.
  network.trap(
    "message",
    () => server.crash(),
    (device) => device.user === "bob",
  );
  alice.says("alice:bob", "hello");
  await scenario.until(() => !server.isUp, "the server is dead");
  await scenario.pass(1_000);
  assert.equal(bob.shown("hello"), 0);
  server.start();
  await bob.sees("hello");
  await alice.showsStatus("alice:bob", "hello", "delivered");
  await scenario.converges();
  assert.equal(bob.shown("hello"), 1);
});

test("G4 a backlog comes in pages, and the request for the next page acknowledges the last", async (t) => {
  const messages = 1_500;
  const scenario = await world(3, { asleep: ["bob/phone"] });
  t.after(() => scenario.close());
  const { alice, bob, network } = scenario;
  for (let i = 1; i <= messages; i++) alice.says("team", `message ${i}.`);
  await scenario.until(() => alice.status("team", `message ${messages}.`) === "stored", "all are stored");

  bob.device.start();
  await bob.sees(`message ${messages}.`);
  const pages = Math.ceil((messages + 1) / bob.device.pageMessages);
  assert.ok(
    network.counted("sync", bob.device) <= pages + 1,
    `${pages} pages cost ${network.counted("sync", bob.device)} requests`,
  );
  assert.ok(
    network.counted("ack", bob.device) <= Math.ceil(pages / 10),
    `${network.counted("ack", bob.device)} acknowledgements beside the requests for pages`,
  );
  await scenario.converges();
  assert.equal(bob.device.handed.filter((text) => text.startsWith("message ")).length, messages);
});

test("G4 anything dies in the middle of a backlog: none lost, none twice", async (t) => {
  const messages = 600;
  const scenario = await world(4, { asleep: ["bob/phone"] });
  t.after(() => scenario.close());
  const { alice, bob, server } = scenario;
  for (let i = 1; i <= messages; i++) alice.says("team", `message ${i}.`);
  await scenario.until(() => alice.status("team", `message ${messages}.`) === "stored", "all are stored");

  bob.device.start();
  await bob.sees("message 100.");
  server.crash();
  await scenario.pass(500);
  server.start();
  await bob.sees("message 300.");
  bob.device.crash();
  await scenario.pass(500);
  bob.device.start();
  await bob.sees(`message ${messages}.`);
  // What was handed over and not yet kept when the program died may come again: the application has its number.
  await scenario.converges();
  assert.equal(bob.device.shown.get("team")?.size, messages + 1);
});

test("G4 G5 a group of 200 with 40 online: 40 pushes, one stored copy, batched positions", async (t) => {
  const users = Array.from({ length: 200 }, (_, i) => `user${String(i).padStart(3, "0")}`);
  const online = users.slice(0, 41);
  const scenario = await world(5, {
    devices: Object.fromEntries(users.map((user) => [user, ["phone"]])),
    asleep: users.slice(41).map((user) => `${user}/phone`),
    settings: { residentConversationsMax: 1_000 },
  });
  t.after(() => scenario.close());
  const { network, world: simulated } = scenario;
  const sender = scenario.person("user000");
  const head = simulated.ledger.head("main", "team");
  const [pushes, acks, cursors] = [
    network.counted("message"),
    network.counted("ack"),
    simulated.cursorWrites,
  ];
  const messages = 20;
  for (let i = 1; i <= messages; i++) sender.says("team", `news ${i}.`);
  for (const user of online.slice(1)) await scenario.person(user).sees(`news ${messages}.`);
  await scenario.pass(2_000);

  assert.equal(simulated.ledger.head("main", "team") - head, messages, "one stored copy of each");
  assert.equal(network.counted("message") - pushes, 40 * messages, "one push per member online");
  assert.ok(network.counted("ack") - acks <= 2 * 41, `${network.counted("ack") - acks} acknowledgements`);
  assert.ok(
    simulated.cursorWrites - cursors <= 2 * 41,
    `${simulated.cursorWrites - cursors} positions were written for ${40 * messages} deliveries`,
  );
});
