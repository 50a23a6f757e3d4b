import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MemoryStore } from "@hongyan/core/memory";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { JoinedNode } from "./joined-node.ts";
import { until } from "./until.ts";

const direct = "alice:bob";

/** Two nodes over one store, joined by NATS. */
async function cluster(t: TestContext) {
  const server = await NatsServer.start();
  const store = new MemoryStore();
  const one = await JoinedNode.open("one", server.url, store);
  const two = await JoinedNode.open("two", server.url, store);
  t.after(async () => {
    await Promise.all([one.close(), two.close()]);
    await server.stop();
  });
  return { server, one, two };
}

test("a message reaches devices on other nodes, the sender's own too, and its receipt the sender", {
  skip: natsMissing,
}, async (t) => {
  const { one, two } = await cluster(t);
  const alice = await one.device("alice");
  const bob = await two.device("bob");
  const laptop = await two.device("alice", "laptop");
  await alice.say(direct, "hi");
  await until(() => bob.pushed.length > 0 && laptop.pushed.length > 0, "the message");
  assert.deepEqual([alice.pushed, bob.pushed, laptop.pushed], [[], ["hi"], ["hi"]]);
  await bob.ask({ type: "ack", positions: [[direct, 1]] }, "ack.ok");
  await until(() => alice.of("receipt").length > 0, "the receipt");
  assert.equal(alice.of("receipt")[0]?.delivered, 1);
});

test("a body that NATS does not take is read after the cursor", { skip: natsMissing }, async (t) => {
  const { one, two } = await cluster(t);
  const alice = await one.device("alice");
  const bob = await two.device("bob");
  const body = new Uint8Array(1024 * 1024).fill(7);
  await alice.say(direct, "large", body);
  await until(() => bob.of("behind").length > 0, "the notice");
  assert.equal((await bob.ask({ type: "sync" }, "sync.ok")).count, 1);
  assert.deepEqual(bob.of("message")[0]?.body, body);
  await alice.say(direct, "small");
  await until(() => bob.pushed.includes("small"), "the next message");
});

test("G4 what was sent while NATS was away comes when it is back", { skip: natsMissing }, async (t) => {
  const { server, one, two } = await cluster(t);
  const alice = await one.device("alice");
  const bob = await two.device("bob");
  await server.kill();
  await until(() => !one.broker.statistics.connected, "the loss");
  await alice.say(direct, "hi");
  await server.start();
  await until(() => bob.pushed.length > 0, "the message");
  assert.deepEqual(bob.pushed, ["hi"]);
});
