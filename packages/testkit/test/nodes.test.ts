import assert from "node:assert/strict";
import { test } from "node:test";
import { world } from "../src/scenario.ts";

test("G1 G3 G4 a server dies in the middle of a conversation: its devices go on at the other, and nothing is missing", async (t) => {
  const scenario = await world(1, { nodes: 2, devices: { alice: ["phone", "laptop"], bob: ["phone"] } });
  t.after(() => scenario.close());
  const { alice, bob, server } = scenario;
  for (let n = 0; n < 10; n++) alice.says("team", `before ${n}`);
  await bob.sees("before 3");
  server.nodes[0]?.crash();
  for (let n = 0; n < 10; n++) bob.says("team", `after ${n}`);
  await alice.sees("after 9");
  await bob.sees("before 9");
  server.nodes[1]?.crash();
  server.nodes[0]?.start();
  await alice.send("team", "at last");
  await bob.sees("at last");
  await scenario.converges();
});

test("G4 G5 every event between servers is lost: devices have everything all the same, and so do receipts", async (t) => {
  const devices = { alice: ["phone"], bob: ["phone"], carol: ["phone"], dave: ["phone"] };
  const scenario = await world(2, { nodes: 3, devices, broker: { drop: 1 } });
  t.after(() => scenario.close());
  const { alice } = scenario;
  for (const user of ["bob", "carol", "dave"]) {
    const [conversation, other] = [`alice:${user}`, scenario.person(user)];
    const text = `hello ${user}`;
    await alice.send(conversation, text);
    await other.sees(text);
    await alice.showsStatus(conversation, text, "delivered");
    other.device.client?.markRead(conversation, 1);
    await alice.showsStatus(conversation, text, "read");
  }
  await scenario.converges();
});

test("G4 a device moves from server to server while its old connections look alive, and keeps its place", async (t) => {
  const scenario = await world(3, { nodes: 3 });
  t.after(() => scenario.close());
  const { alice, bob, network } = scenario;
  for (let n = 0; n < 12; n++) {
    for (const link of network.links(bob.device)) link.cut(0, 60_000);
    await alice.send("team", `message ${n}`);
    await bob.sees(`message ${n}`);
  }
  assert.deepEqual(
    Array.from({ length: 12 }, (_, n) => bob.shown(`message ${n}`)),
    Array(12).fill(1),
  );
  await scenario.converges();
});
