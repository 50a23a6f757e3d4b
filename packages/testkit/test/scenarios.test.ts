import assert from "node:assert/strict";
import { test } from "node:test";
import { world } from "../src/scenario.ts";

test("G8 a reader that stops reading is bounded, slows nobody, and gets everything once it reads again", async (t) => {
  const scenario = await world(11, {
    devices: { alice: ["phone"], bob: ["phone"], carol: ["phone"] },
    settings: { outboxBytesMax: 4_000, outboxBytesClose: 64_000 },
  });
  t.after(() => scenario.close());
  const { alice, bob, network, world: simulated } = scenario;
  const carol = scenario.person("carol");
  const [link] = network.links(carol.device);
  assert.ok(link !== undefined);
  link.down.stall();
  const begin = simulated.scheduler.now;
  const messages = 200;
  for (let i = 1; i <= messages; i++) alice.says("team", `${"x".repeat(200)} ${i}.`);
  await bob.sees(`${"x".repeat(200)} ${messages}.`);
  const tookMs = simulated.scheduler.now - begin;
  assert.ok(tookMs < 2_000, `bob waited ${tookMs} ms because carol does not read`);
  assert.ok(link.queuedBytes > 0 && link.queuedBytes < 8_000, `${link.queuedBytes} bytes wait for carol`);
  link.down.resume();
  await scenario.converges();
  assert.equal(carol.device.handed.filter((text) => text.startsWith("xxx")).length, messages);
});

test("G4 two devices, and the sender's second device, end with one history", async (t) => {
  const scenario = await world(12, { devices: { alice: ["phone", "laptop"], bob: ["phone", "laptop"] } });
  t.after(() => scenario.close());
  const people = [
    scenario.alice,
    scenario.person("alice", "laptop"),
    scenario.bob,
    scenario.person("bob", "laptop"),
  ];
  for (let i = 1; i <= 20; i++)
    for (const person of people) person.says("team", `${person.device.key} ${i}.`);
  await scenario.converges();
  const [first, ...others] = people.map((person) => person.device.handed);
  assert.equal(first?.length, 81);
  for (const other of others) assert.deepEqual(other, first);
});

test("G5 unread counts own messages and partial reads right, on every device", async (t) => {
  const scenario = await world(13, { devices: { alice: ["phone"], bob: ["phone", "laptop"] } });
  t.after(() => scenario.close());
  const { alice, bob } = scenario;
  const laptop = scenario.person("bob", "laptop");
  for (let i = 1; i <= 5; i++) await alice.send("alice:bob", `from alice ${i}.`);
  await bob.send("alice:bob", "from bob");
  await laptop.sees("from bob");
  for (const device of [bob, laptop]) assert.equal(device.unread("alice:bob"), 5);
  bob.device.client?.markRead("alice:bob", 3);
  await scenario.until(() => laptop.unread("alice:bob") === 2, "the laptop shows 2 unread");
  assert.equal(bob.unread("alice:bob"), 2);
  await alice.showsStatus("alice:bob", "from alice 3.", "read");
  assert.equal(alice.status("alice:bob", "from alice 4."), "delivered");
  await scenario.converges();
});

test("G2 what was queued survives the program of its sender, and lands once", async (t) => {
  const scenario = await world(14);
  t.after(() => scenario.close());
  const { alice, bob, network } = scenario;
  network.setOffline(alice.device, true);
  for (let i = 1; i <= 5; i++) alice.says("alice:bob", `queued ${i}.`);
  await scenario.pass(1_000);
  alice.device.crash();
  await scenario.pass(1_000);
  network.setOffline(alice.device, false);
  alice.device.start();
  await bob.sees("queued 5.");
  await scenario.converges();
  assert.deepEqual(
    bob.device.handed.filter((text) => text.startsWith("queued")).map((text) => text.slice(0, 9)),
    ["queued 1.", "queued 2.", "queued 3.", "queued 4.", "queued 5."],
  );
});

test("G5 delivered waits for the application, not for its device", async (t) => {
  const scenario = await world(15, { handlerMsMax: { "bob/phone": 20_000 } });
  t.after(() => scenario.close());
  const { alice, bob, network } = scenario;
  await alice.send("alice:bob", "hello");
  await scenario.until(() => network.counted("message", bob.device) > 1, "bob's device has it");
  assert.equal(bob.shown("hello"), 0);
  assert.equal(alice.status("alice:bob", "hello"), "stored");
  await bob.sees("hello");
  await alice.showsStatus("alice:bob", "hello", "delivered");
});
