import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBroker, MemoryStore } from "@hongyan/core/memory";
import type { NodeEvent } from "../src/index.ts";
import { type Device, House } from "./house.ts";

const direct = "alice:bob";

async function ackPage(device: Device, positions?: readonly (readonly [string, number])[], limit = 500) {
  const before = device.frames.length;
  const reply = await device.ask({ type: "sync", positions, limit, bytes: 1_000_000 }, "sync.ok");
  const items = device.frames
    .slice(before)
    .filter((frame) => frame.type === "message" && frame.id === reply.id);
  assert.equal(items.length, reply.count);
  return { more: reply.more, seqs: items.map((frame) => (frame.type === "message" ? frame.seq : 0)) };
}

test("G4 10,000 offline messages: N pages cost N+1 requests, the next page acknowledges the last", async () => {
  const house = new House({ outboxBytesMax: 10_000_000 });
  const alice = await house.device("alice");
  for (let n = 1; n <= 10_000; n++) {
    alice.post({ type: "send", conversation: direct, clientMessageId: `x:${n}`, body: new Uint8Array(10) });
    if (n % 500 === 0) await house.settle();
  }
  await house.until(() => alice.of("send.ok").length === 10_000, "all stored");
  const bob = await house.device("bob", "phone", { sync: false });
  const seen: number[] = [];
  let requests = 0;
  let positions: [string, number][] | undefined;
  for (;;) {
    const page = await ackPage(bob, positions);
    requests++;
    seen.push(...page.seqs);
    if (page.seqs.length === 0) break;
    positions = [[direct, seen.at(-1) as number]];
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 10_000 }, (_, n) => n + 1),
  );
  assert.equal(requests, 21);
});

test("G4 a page that is not acknowledged comes again, on a new session too", async () => {
  const house = new House();
  const alice = await house.device("alice");
  for (let n = 1; n <= 10; n++) await alice.say(direct, `m${n}`, `x:${n}`);
  const bob = await house.device("bob", "phone", { sync: false });
  assert.deepEqual((await ackPage(bob, undefined, 4)).seqs, [1, 2, 3, 4]);
  assert.deepEqual((await ackPage(bob, undefined, 4)).seqs, [1, 2, 3, 4]);
  assert.deepEqual((await ackPage(bob, [[direct, 4]], 4)).seqs, [5, 6, 7, 8]);
  const again = await house.device("bob", "phone", { sync: false });
  assert.deepEqual((await ackPage(again, undefined, 4)).seqs, [5, 6, 7, 8]);
});

test("G4 what a live device does not acknowledge is pushed again, and after a while it is told to pull", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "hi");
  await house.tick(4000);
  assert.deepEqual(bob.heard, ["hi"]);
  await house.tick(1500);
  assert.deepEqual(bob.heard, ["hi", "hi"]);
  await bob.ask({ type: "ack", positions: [[direct, 1]] }, "ack.ok");
  await house.tick(6000);
  assert.deepEqual(bob.heard, ["hi", "hi"], "an acknowledged push is not repeated");
  await alice.say(direct, "ho");
  for (let i = 0; i < 8 && bob.of("behind").length === 0; i++) await house.tick(5100);
  assert.equal(bob.of("behind").length, 1);
});

test("G4 a resumed session missed nothing, or is told to sync", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  const session = bob.of("connect.ok")[0]?.session;
  bob.inbound?.closed();
  const quick = await house.device("bob", "phone", { resume: session, sync: false });
  assert.deepEqual(
    quick.of("connect.ok").map(({ resumed, behind }) => ({ resumed, behind })),
    [{ resumed: true, behind: false }],
  );
  quick.inbound?.closed();
  await alice.say(direct, "while away");
  const later = await house.device("bob", "phone", { resume: session, sync: false });
  assert.deepEqual(
    later.of("connect.ok").map(({ resumed, behind }) => ({ resumed, behind })),
    [{ resumed: true, behind: true }],
  );
  assert.deepEqual((await ackPage(later)).seqs, [1]);
  later.inbound?.closed();
  await house.tick(61_000);
  const expired = await house.device("bob", "phone", { resume: session, sync: false });
  assert.equal(expired.of("connect.ok")[0]?.resumed, false);
});

test("G4 a push that was lost with the old connection comes again at once after a resume", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "lost");
  const session = bob.of("connect.ok")[0]?.session;
  bob.inbound?.closed();
  const back = await house.device("bob", "phone", { resume: session, sync: false });
  await house.tick(100);
  assert.deepEqual(back.heard, ["lost"]);
});

test("a device that connects again replaces its older connection", async () => {
  const house = new House();
  const older = await house.device("bob");
  const newer = await house.device("bob");
  assert.equal(older.closedWith, "replaced");
  const alice = await house.device("alice");
  await alice.say(direct, "hi");
  assert.deepEqual([older.heard, newer.heard], [[], ["hi"]]);
  newer.inbound?.closed();
  await house.tick(61_000);
  await house.tick();
  assert.equal(house.node.statistics.sessions, 1, "nothing of the replaced session is left");
});

test("G8 a reader that does not read is moved to pull, harms nobody and loses nothing", async () => {
  const house = new House({ outboxBytesMax: 1000 });
  const alice = await house.device("alice");
  const bob = await house.device("bob", "phone");
  const tablet = await house.device("bob", "tablet");
  bob.bufferedBytes = 1001;
  for (let n = 1; n <= 5; n++) await alice.say(direct, `m${n}`, `x:${n}`);
  assert.deepEqual(bob.heard, []);
  assert.deepEqual(tablet.heard, ["m1", "m2", "m3", "m4", "m5"]);
  bob.bufferedBytes = 0;
  bob.inbound?.drained();
  assert.equal(bob.of("behind").length, 1);
  await alice.say(direct, "m6", "x:6");
  assert.deepEqual(bob.heard, [], "no push before it has caught up");
  assert.deepEqual((await ackPage(bob)).seqs, [1, 2, 3, 4, 5, 6]);
  await alice.say(direct, "m7", "x:7");
  assert.deepEqual(bob.heard, ["m7"]);
});

test("G8 a peer that asks and never reads is closed before its answers fill the memory", async () => {
  const house = new House({ outboxBytesClose: 5000 });
  const alice = await house.device("alice");
  alice.bufferedBytes = 5001;
  alice.post({ type: "ping" });
  assert.equal(alice.closedWith, "too_slow");
});

test("G8 slow readers together are bounded too: who holds most is closed, and misses nothing", async () => {
  const house = new House({ outboxBytesMax: 6400, outboxBytesClose: 6400, outboxBytesTotal: 7000 });
  const alice = await house.device("alice");
  const [phone, tablet] = [await house.device("bob", "phone"), await house.device("bob", "tablet")];
  phone.bufferedBytes = 3000;
  tablet.bufferedBytes = 4000;
  await alice.say(direct, "m1", "x:1");
  await house.tick();
  assert.deepEqual([phone.closedWith, tablet.closedWith], [undefined, undefined], "they fit, just so");
  assert.equal(house.node.statistics.outboxBytes, 7000);
  phone.bufferedBytes = 3001;
  await house.tick();
  assert.deepEqual([phone.closedWith, tablet.closedWith], [undefined, "too_slow"]);
  assert.equal(house.node.statistics.outboxBytes, 3001);
  phone.bufferedBytes = 100;
  await house.tick();
  assert.equal(house.node.statistics.outboxBytes, 0, "who has caught up is not looked at");
  const again = await house.device("bob", "tablet");
  assert.deepEqual((await ackPage(again)).seqs, [1]);
});

test("G5 delivered and read are told after the acknowledgement is stored, and never go back", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "a", "x:1");
  await alice.say(direct, "b", "x:2");
  await house.tick();
  assert.deepEqual(alice.of("receipt"), [], "a push is not a delivery");
  await bob.ask({ type: "ack", positions: [[direct, 2]] }, "ack.ok");
  await house.tick();
  await bob.ask({ type: "read", positions: [[direct, 1]] }, "read.ok");
  await house.tick();
  await bob.ask({ type: "ack", positions: [[direct, 1]] }, "ack.ok");
  await house.tick();
  assert.deepEqual(
    alice.of("receipt").map(({ user, delivered, read, ordinal }) => ({ user, delivered, read, ordinal })),
    [
      { user: "bob", delivered: 2, read: 0, ordinal: 1 },
      { user: "bob", delivered: 2, read: 1, ordinal: 2 },
    ],
  );
  assert.equal((await alice.ask({ type: "ping" }, "ping.ok")).receipts, 2);
});

test("G5 nobody acknowledges what does not exist yet", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "a", "x:1");
  await bob.ask({ type: "ack", positions: [[direct, 1000]] }, "ack.ok");
  await alice.say(direct, "b", "x:2");
  await house.tick();
  assert.equal(alice.of("receipt").at(-1)?.delivered, 1);
});

test("G5 a resend after the acknowledgement gets the receipt again", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "a", "x:1");
  await bob.ask({ type: "ack", positions: [[direct, 1]] }, "ack.ok");
  const again = await house.device("alice");
  assert.equal((await again.say(direct, "a", "x:1")).duplicate, true);
  assert.equal(again.of("receipt").at(-1)?.delivered, 1);
});

test("unread counts follow from positions: own messages and partial reads included", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  const unread = async () => {
    const before = bob.frames.length;
    await bob.ask({ type: "list" }, "list.ok");
    const item = bob.frames.slice(before).find((frame) => frame.type === "conversation");
    return item?.type === "conversation" ? item.unread : undefined;
  };
  for (let n = 1; n <= 5; n++) await alice.say(direct, `a${n}`, `x:${n}`);
  assert.equal(await unread(), 5);
  await bob.say(direct, "own", "y:1");
  assert.equal(await unread(), 5);
  await bob.ask({ type: "read", positions: [[direct, 3]] }, "read.ok");
  assert.equal(await unread(), 2);
  await alice.say(direct, "a6", "x:6");
  assert.equal(await unread(), 3);
  await bob.say(direct, "own2", "y:2");
  await bob.ask({ type: "read", positions: [[direct, 6]] }, "read.ok");
  assert.equal(await unread(), 1);
  await bob.ask({ type: "read", positions: [[direct, 2]] }, "read.ok");
  assert.equal(await unread(), 1, "a read position never goes back");
  await bob.ask({ type: "read", positions: [[direct, 100]] }, "read.ok");
  assert.equal(await unread(), 0);
});

test("G4 a device that is behind is told again until it syncs", async () => {
  const house = new House({ outboxBytesMax: 1000 });
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  bob.bufferedBytes = 1001;
  await alice.say(direct, "missed");
  bob.bufferedBytes = 0;
  bob.inbound?.drained();
  await house.tick(5100);
  assert.equal(bob.of("behind").length, 2, "the first one may have been lost");
  await ackPage(bob, undefined);
  await bob.ask({ type: "sync", positions: [[direct, 1]] }, "sync.ok");
  await house.tick(5100);
  assert.equal(bob.of("behind").length, 2);
});

/** A house whose store is late with `list` and `sync`. */
async function lateHouse() {
  const store = new MemoryStore();
  const list = store.list.bind(store);
  let held: Promise<void> = Promise.resolve();
  store.list = async (prefix, after, count) => {
    await held;
    return list(prefix, after, count);
  };
  // No list of conversations is remembered.
  const house = new House({ residentConversationsMax: 0 }, store);
  /** Until what it returns is called. */
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { house, hold };
}

test("G8 a device that waits for a page is not repeated to what it cannot have acknowledged", async () => {
  const { house, hold } = await lateHouse();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "hi");
  const release = hold();
  const page = bob.ask({ type: "sync" }, "sync.ok");
  for (let i = 0; i < 5; i++) await house.tick(5100);
  assert.deepEqual(bob.heard, ["hi"], "the store has not answered yet");
  release();
  await page;
  await house.tick(4900);
  assert.deepEqual(bob.heard, ["hi"], "it has had no time to acknowledge");
  await house.tick(200);
  assert.deepEqual(bob.heard, ["hi", "hi"]);
});

test("G8 a device that waits for its list or its page is not told to ask for it", async () => {
  const { house, hold } = await lateHouse();
  const bob = await house.device("bob", "phone", { sync: false });
  const inTime = async (command: { readonly type: "list" | "sync" }): Promise<void> => {
    const release = hold();
    const answer = bob.ask(command, `${command.type}.ok`);
    for (let i = 0; i < 5; i++) await house.tick(5100);
    assert.equal(bob.of("behind").length, 0, `the store has not answered ${command.type} yet`);
    release();
    await answer;
  };
  await inTime({ type: "list" });
  await house.tick(4900);
  assert.equal(bob.of("behind").length, 0, "it has had no time to sync");
  await house.tick(200);
  assert.equal(bob.of("behind").length, 1, "it does not sync");
  bob.frames.length = 0;
  await inTime({ type: "sync" });
});

test("G4 a commit whose outcome is open is read by everybody once the store is back, also where nobody writes any more", async () => {
  const store = new MemoryStore();
  let isBroken = false;
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    const outcome = await commit(batch);
    if (isBroken) throw new Error("the disk took it and said that it had not");
    return outcome;
  };
  const house = new House({}, store);
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "before");
  isBroken = true;
  assert.equal(
    await alice.refused({
      type: "send",
      conversation: direct,
      clientMessageId: "open",
      body: new TextEncoder().encode("open"),
    }),
    "unavailable",
  );
  await house.tick();
  assert.equal(bob.of("behind").length, 0, "the store is not back yet");
  isBroken = false;
  await house.tick();
  await house.until(() => bob.of("behind").length === 1, "bob is told to read");
  const { seqs } = await ackPage(bob, [[direct, 1]]);
  assert.deepEqual(seqs, [2]);
});

test("G8 while pages are left nothing is pushed, and a page names no more conversations than can be acknowledged", async () => {
  const house = new House();
  const backend = house.node.backend("d");
  for (let n = 0; n < 450; n++) {
    await backend.send({
      conversation: `bob:u${n}`,
      from: `u${n}`,
      clientMessageId: "x:1",
      body: new Uint8Array(1),
    });
  }
  const bob = await house.device("bob", "phone", { sync: false });
  const first = await bob.ask({ type: "sync", limit: 1000, bytes: 1_000_000 }, "sync.ok");
  assert.deepEqual({ count: first.count, more: first.more }, { count: 400, more: true });
  await backend.send({ conversation: "bob:u1", from: "u1", clientMessageId: "x:2", body: new Uint8Array(1) });
  assert.deepEqual(bob.heard, [], "not pushed: it comes with a page");
  const positions = bob.of("message").map(({ conversation, seq }) => [conversation, seq] as const);
  const second = await bob.ask({ type: "sync", positions, limit: 1000 }, "sync.ok");
  assert.deepEqual({ count: second.count, more: second.more }, { count: 51, more: false });
});

test("G8 large answers are made one at a time, and wait for a peer that does not read", async () => {
  const house = new House({ outboxBytesMax: 1000 });
  const alice = await house.device("alice");
  await alice.say(direct, "hi");
  alice.bufferedBytes = 1001;
  const ids = [1, 2, 3].map(() => alice.post({ type: "history", conversation: direct }));
  await house.settle();
  assert.equal(alice.of("history.ok").length, 0);
  alice.bufferedBytes = 0;
  alice.inbound?.drained();
  await house.until(() => alice.of("history.ok").length === 3, "three pages");
  assert.deepEqual(
    alice.of("history.ok").map(({ id }) => id),
    ids,
  );
});

test("G4 a device that leaves too many conversations unacknowledged is told that it is behind", async () => {
  const house = new House();
  const bob = await house.device("bob");
  const backend = house.node.backend("d");
  for (let n = 0; n <= 10_000; n++) {
    void backend.send({
      conversation: `bob:u${n}`,
      from: `u${n}`,
      clientMessageId: "x:1",
      body: new Uint8Array(1),
    });
  }
  await house.until(() => bob.of("behind").length === 1, "bob is told");
});

test("G9 positions that wait for the store are bounded and refused like messages", async () => {
  const store = new MemoryStore();
  const commit = store.commit.bind(store);
  let go: () => void = () => undefined;
  let held: Promise<void> | undefined;
  store.commit = async (batch) => {
    await held;
    return commit(batch);
  };
  const house = new House({ commitBytesMax: 100_000 }, store);
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.say(direct, "hi");
  held = new Promise((resolve) => {
    go = resolve;
  });
  for (let n = 0; n < 600; n++) bob.post({ type: "ack", positions: [[direct, 1]] });
  await house.until(() => bob.of("error").length > 0, "a refusal");
  assert.deepEqual(
    [...new Set(bob.of("error").map(({ name, retryAfterMs }) => `${name} ${retryAfterMs}`))],
    ["overloaded 200"],
  );
  go();
  held = undefined;
  await house.until(() => bob.of("ack.ok").length + bob.of("error").length === 600, "600 answers");
  await bob.ask({ type: "ack", positions: [[direct, 1]] }, "ack.ok");
});

test("G4 a device that is known gets what its user has read elsewhere; a new one begins behind it", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const phone = await house.device("bob", "phone");
  phone.inbound?.closed();
  for (const text of ["one", "two"]) await alice.say(direct, text);
  const laptop = await house.device("bob", "laptop");
  await laptop.ask({ type: "read", positions: [[direct, 2]] }, "read.ok");
  const back = await house.device("bob", "phone", { sync: false });
  assert.deepEqual((await ackPage(back)).seqs, [1, 2], "the phone was here before");
  await alice.say(direct, "three");
  const tablet = await house.device("bob", "tablet", { sync: false });
  const { id } = await tablet.ask({ type: "list" }, "list.ok");
  assert.equal(tablet.of("conversation").find((frame) => frame.id === id)?.position, 2);
  assert.deepEqual((await ackPage(tablet)).seqs, [3], "the tablet is new");
  const later = await house.device("bob", "tablet", { sync: false });
  assert.deepEqual((await ackPage(later)).seqs, [3], "and stays where it began until it acknowledges");
});

test("G4 a log that has lost entries is answered as an internal fault, and keeps nothing else from coming", async () => {
  const store = new MemoryStore();
  const house = new House({}, store);
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await bob.say("alice:bob", "hi", "x:1");
  const damaged = Object.assign(new Error("The log has lost its entry 1"), { code: "damaged" });
  await house.node.backend("d").createConversation({
    conversation: "whole",
    members: [{ user: "alice", role: "member" }],
  });
  const { read, readBack } = store;
  store.read = (log, ...rest) =>
    log.endsWith("alice:bob") ? Promise.reject(damaged) : read.call(store, log, ...rest);
  store.readBack = (log, ...rest) =>
    log.endsWith("alice:bob") ? Promise.reject(damaged) : readBack.call(store, log, ...rest);
  const late = await house.device("alice", "tablet", { sync: false });
  assert.equal(await alice.refused({ type: "history", conversation: "alice:bob" }), "internal");
  assert.deepEqual((await ackPage(late)).seqs, [1], "the other conversation");
  assert.equal((await late.ask({ type: "list" }, "list.ok")).count, 2);
  const refusal = alice.of("error").at(-1);
  assert.ok((refusal?.retryAfterMs ?? 0) >= 10_000, "it is not asked for again at once");
  assert.equal((await alice.ask({ type: "ping" }, "ping.ok")).type, "ping.ok");
  assert.equal((await bob.say("alice:bob", "there?", "x:2")).seq, 2);
});

test("G4 a device reads its backlog only when other nodes can reach it: nothing falls between page and push", async () => {
  const reached = Promise.withResolvers<void>();
  class FarBroker extends MemoryBroker<NodeEvent> {
    override subscribe(subject: string, receive: (event: NodeEvent) => void) {
      super.subscribe(subject, receive);
      return reached.promise as never;
    }
  }
  const house = new House({}, new MemoryStore(), undefined, new FarBroker());
  const bob = await house.device("bob", "phone", { sync: false });
  bob.post({ type: "sync" });
  await house.settle();
  assert.equal(bob.of("sync.ok").length, 0);
  reached.resolve();
  await house.until(() => bob.of("sync.ok").length === 1, "the page");
  const tablet = await house.device("bob", "tablet");
  assert.equal(tablet.of("sync.ok").length, 1);
});
