import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBroker } from "@hongyan/core/memory";

test("an event reaches the subscriber of each subject, before publish returns", () => {
  const broker = new MemoryBroker<string>();
  const seen: string[] = [];
  broker.subscribe("alice", (event) => seen.push(`alice ${event}`));
  broker.subscribe("bob", (event) => seen.push(`bob ${event}`));
  broker.publish(["bob", "nobody", "alice"], "hi");
  assert.deepEqual(seen, ["bob hi", "alice hi"]);
});

test("nothing arrives after unsubscribe, and the subject can be subscribed anew", () => {
  const broker = new MemoryBroker<string>();
  const seen: string[] = [];
  broker.subscribe("alice", () => seen.push("first"));
  broker.unsubscribe("alice");
  broker.publish(["alice"], "hi");
  broker.subscribe("alice", () => seen.push("second"));
  broker.publish(["alice"], "hi");
  assert.deepEqual(seen, ["second"]);
});

test("a subject has one subscription", () => {
  const broker = new MemoryBroker<string>();
  broker.subscribe("alice", () => {});
  assert.throws(() => broker.subscribe("alice", () => {}), /subscription of alice/);
});

test("G8 a receiver that throws harms only itself", () => {
  const broker = new MemoryBroker<string>();
  const seen: string[] = [];
  broker.subscribe("alice", () => {
    throw new Error("broken receiver");
  });
  broker.subscribe("bob", (event) => seen.push(event));
  assert.throws(() => broker.publish(["alice", "bob"], "hi"), /broken receiver/);
  assert.deepEqual(seen, ["hi"]);
});

test("receivers may subscribe and unsubscribe while an event is handed out", () => {
  const broker = new MemoryBroker<string>();
  const seen: string[] = [];
  broker.subscribe("alice", () => {
    broker.unsubscribe("bob");
    broker.subscribe("carol", (event) => seen.push(`carol ${event}`));
  });
  broker.subscribe("bob", () => seen.push("bob"));
  broker.publish(["alice", "bob", "carol"], "hi");
  assert.deepEqual(seen, ["carol hi"]);
});
