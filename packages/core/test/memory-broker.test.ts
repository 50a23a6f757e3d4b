import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBroker } from "@hongyan/core/memory";
import { Audience } from "../src/index.ts";

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

/** A group whose members come and go; counts how often somebody looks at all of them. */
function crowd(size: number) {
  const users = new Set(Array.from({ length: size }, (_, n) => `u${n}`));
  const seen = { looks: 0 };
  const audience = new Audience({
    get memberCount() {
      return users.size;
    },
    members() {
      seen.looks++;
      return Array.from(users, (subject) => ({ subject }));
    },
  });
  const change = (subject: string, isIn: boolean) => {
    if (isIn) users.add(subject);
    else users.delete(subject);
    audience.changed({ subject, isIn });
  };
  return {
    audience,
    seen,
    enter: (user: string) => change(user, true),
    go: (user: string) => change(user, false),
  };
}

test("who comes into a large audience and goes is served without a look at all of it", () => {
  const { audience, seen, enter, go } = crowd(1000);
  const broker = new MemoryBroker<string>();
  const heard: string[] = [];
  for (const user of ["u7", "visitor"]) broker.subscribe(user, (event) => heard.push(`${user} ${event}`));
  broker.publish(audience, "one");
  enter("visitor");
  enter("absent");
  broker.publish(audience, "two");
  go("u7");
  go("visitor");
  enter("visitor");
  broker.publish(audience, "three");
  go("visitor");
  broker.publish(audience, "four");
  broker.publish(audience, "five");
  assert.deepEqual(heard, ["u7 one", "u7 two", "visitor two", "visitor three"]);
  assert.equal(seen.looks, 1);
  broker.subscribe("absent", (event) => heard.push(`absent ${event}`));
  broker.publish(audience, "six");
  assert.equal(heard.at(-1), "absent six");
});

test("an audience that has changed more often than it remembers is looked at anew", () => {
  const { audience, seen, enter, go } = crowd(1000);
  const broker = new MemoryBroker<string>();
  const heard: string[] = [];
  broker.subscribe("u7", (event) => heard.push(event));
  broker.publish(audience, "one");
  go("u7");
  for (let n = 0; n < 300; n++) enter(`v${n}`);
  broker.publish(audience, "two");
  enter("u7");
  broker.publish(audience, "three");
  assert.deepEqual(heard, ["one", "three"]);
  assert.equal(seen.looks, 2);
});

test("an audience that shrinks and grows across what is remembered reaches who is in it", () => {
  const { audience, enter, go } = crowd(65);
  const broker = new MemoryBroker<string>();
  const heard: string[] = [];
  for (const user of ["u1", "u2", "late"]) broker.subscribe(user, (event) => heard.push(`${user} ${event}`));
  broker.publish(audience, "one");
  for (const user of ["u1", "u60", "u61"]) go(user);
  broker.publish(audience, "two");
  for (const user of ["late", "x", "y"]) enter(user);
  broker.publish(audience, "three");
  assert.deepEqual(heard, ["u1 one", "u2 one", "u2 two", "u2 three", "late three"]);
});
