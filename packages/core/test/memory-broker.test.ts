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

test("a long list reaches who is there now, whoever came and went before", () => {
  const broker = new MemoryBroker<string>();
  const subjects = Array.from({ length: 1000 }, (_, n) => `u${n}`);
  const seen: string[] = [];
  broker.publish(subjects, "nobody");
  broker.subscribe("u7", (event) => seen.push(`u7 ${event}`));
  broker.publish(subjects, "one");
  broker.subscribe("u3", (event) => seen.push(`u3 ${event}`));
  broker.publish(subjects, "two");
  broker.unsubscribe("u7");
  broker.publish(subjects, "three");
  assert.deepEqual(seen, ["u7 one", "u3 two", "u7 two", "u3 three"]);
});
