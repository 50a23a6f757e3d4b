import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@hongyan/core/memory";
import {
  type Append,
  type Batch,
  type CommitOutcome,
  deliveredReader,
  encodeMessage,
  recordKeys,
} from "../src/index.ts";
import { House } from "./house.ts";
import { neighbours, pass, Street } from "./street.ts";

async function group(house: House, ...users: string[]): Promise<void> {
  const members = users.map((user) => ({ user, role: "member" as const }));
  await house.node.backend("d").createConversation({ conversation: "g", members });
}

test("G4 a broker that loses again and again keeps nobody from being compared", async () => {
  const { street, here, there } = neighbours();
  const users = Array.from({ length: 200 }, (_, n) => `u${n}`);
  await group(here, ...users);
  const devices = await Promise.all(users.map((user) => there.device(user)));
  street.isClosed = true;
  const message = { conversation: "g", from: "u0", clientMessageId: "x:1", body: new Uint8Array(1) };
  await here.node.backend("d").send(message);
  for (let ms = 0; ms < 12_000; ms += 200) {
    there.node.missed();
    await there.tick();
  }
  assert.equal(devices.filter(({ heard }) => heard.length === 0).length, 0, "nobody was left out");
});

test("comparing costs no more than so many users a second, but where events were missed all are compared at once", async () => {
  const { there } = neighbours();
  await Promise.all(Array.from({ length: 250 }, (_, n) => there.device(`u${n}`)));
  const compared = async (ms: number): Promise<number> => {
    const before = there.node.statistics.comparisons;
    for (const endMs = there.nowMs + ms; there.nowMs < endMs; ) await there.tick();
    return there.node.statistics.comparisons - before;
  };
  // A second for the round that began with nobody.
  await compared(1_200);
  const calm = await compared(10_000);
  assert.ok(calm > 900 && calm <= 1_020, `${calm} in ten seconds`);
  there.node.missed();
  assert.ok((await compared(400)) >= 250, "all of them");
  const after = await compared(10_000);
  assert.ok(after > 600 && after <= 1_020, `${after} in ten seconds, afterwards`);
});

test("G4 an entry is pushed on another node, and comes by repetition where the event was lost", async () => {
  const { street, here, there } = neighbours();
  await group(here, "alice", "bob");
  const alice = await here.device("alice");
  const bob = await there.device("bob");
  await alice.say("g", "one");
  await there.until(() => bob.heard.includes("one"), "the push");
  street.isClosed = true;
  await alice.say("g", "two");
  await pass(there);
  const [shown] = bob.of("conversation").slice(-1);
  assert.deepEqual([shown?.conversation, shown?.head], ["g", 3], "the device is shown that there is more");
  for (let ms = 0; ms < 6_000; ms += 200) await there.tick();
  assert.ok(bob.heard.includes("two"));
});

test("G3 entries of two nodes take one order, and each node shows its own only after those before", async () => {
  const { street, here, there } = neighbours();
  await group(here, "alice", "bob", "carol");
  const alice = await here.device("alice");
  const bob = await there.device("bob");
  street.isClosed = true;
  assert.deepEqual(
    [(await alice.say("g", "1")).seq, (await bob.say("g", "2")).seq, (await alice.say("g", "3")).seq],
    [2, 3, 4],
  );
  const page = await bob.ask({ type: "history", conversation: "g", after: 0 }, "history.ok");
  assert.equal(page.count, 4);
});

test("G2 who was removed elsewhere writes nothing, and learns of what was stored before", async () => {
  const { street, here, there } = neighbours();
  await group(here, "alice", "bob");
  const bob = await there.device("bob");
  const { seq } = await bob.say("g", "before");
  street.isClosed = true;
  await here.node.backend("d").removeMember("g", "bob");
  const send = { type: "send", conversation: "g", clientMessageId: "late", body: new Uint8Array(1) } as const;
  assert.equal(await bob.refused(send), "not_found");
  assert.deepEqual(await here.store.heads(["d/conversation/g"]), [seq + 1]);
  const again = await bob.say("g", "before");
  assert.deepEqual([again.seq, again.duplicate], [seq, true]);
});

test("G4 who was removed elsewhere reads nothing of what came later", async () => {
  const { street, here, there } = neighbours();
  await group(here, "alice", "bob");
  const alice = await here.device("alice");
  const bob = await there.device("bob");
  await bob.say("g", "so that the conversation is known there");
  street.isClosed = true;
  await here.node.backend("d").removeMember("g", "bob");
  await alice.say("g", "secret");
  const page = await bob.ask({ type: "history", conversation: "g", after: 2 }, "history.ok");
  assert.equal(page.count, 1, "the entry that removes, and nothing after it");
});

test("who was added elsewhere is not refused, and comes in with the entry that says so", async () => {
  const { street, here, there } = neighbours();
  await group(here, "alice");
  const alice = await there.device("alice");
  const bob = await there.device("bob");
  await alice.say("g", "so that the conversation is known there");
  street.isClosed = true;
  await here.node.backend("d").addMembers("g", [{ user: "bob", role: "member" }]);
  const { seq } = await bob.say("g", "hello");
  assert.equal(seq, 4);
  const members = await here.node.backend("d").members("g", "", 10);
  assert.deepEqual(
    members.items.map(({ user, since }) => [user, since]),
    [
      ["alice", 1],
      ["bob", 3],
    ],
  );
});

test("changes of two nodes at the same moment both take effect, each with its entry", async () => {
  const { here, there } = neighbours();
  await group(here, "alice");
  await Promise.all(
    [here, there].flatMap(({ node }, at) =>
      [0, 1, 2].map((n) => node.backend("d").addMembers("g", [{ user: `u${at}${n}`, role: "member" }])),
    ),
  );
  const { items } = await here.node.backend("d").members("g", "", 10);
  const sinces = items.map(({ since }) => since).sort();
  assert.deepEqual(sinces, [1, 2, 3, 4, 5, 6, 7]);
});

/** Another node is always a little faster. */
class ContestedStore extends MemoryStore {
  faster: Append | undefined;

  override async commit(batch: Batch): Promise<CommitOutcome> {
    const { faster } = this;
    this.faster = undefined;
    if (faster !== undefined) await super.commit({ appends: [faster], advances: [], puts: [] });
    return super.commit(batch);
  }
}

test("G3 a stay begins with the entry that says so, whatever another node writes at that moment", async () => {
  const store = new ContestedStore();
  const house = new House({}, store, undefined, new Street().end());
  await group(house, "alice");
  const body = encodeMessage("alice", "m", undefined, new Uint8Array(1));
  store.faster = { log: "d/conversation/g", producer: "alice", number: 1, time: 0, body };
  const backend = house.node.backend("d");
  assert.equal(await backend.addMembers("g", [{ user: "bob", role: "member" }]), 1);
  const [bob] = await store.records([recordKeys.member("d", "g", "bob")]);
  const entries = await backend.history("g", { after: 0, limit: 10 });
  assert.deepEqual(
    entries.map(({ messageType }) => messageType),
    ["hongyan.created", undefined, "hongyan.added"],
  );
  assert.match(new TextDecoder().decode(bob?.value), /"since":3/);
});

test("G5 a position that another node let grow is not cut down to an old head", async () => {
  const { store, street, here, there } = neighbours();
  await group(here, "alice", "bob");
  const alice = await here.device("alice");
  const bob = await there.device("bob");
  await bob.say("g", "so that the conversation is known there");
  street.isClosed = true;
  await alice.say("g", "news");
  await bob.ask({ type: "ack", positions: [["g", 3]] }, "ack.ok");
  assert.deepEqual(
    await store.positions([{ log: "d/conversation/g", reader: deliveredReader("bob", "phone") }]),
    [3],
  );
});

test("one device has one session: the newest keeps it, on whichever node", async () => {
  const { here, there } = neighbours();
  const old = await here.device("alice");
  await there.device("alice");
  await here.until(() => old.closedWith !== undefined, "the end of the older one");
  assert.equal(old.closedWith, "replaced");
});

test("one device has one session, also where nobody was told of the newer one", async () => {
  const { street, here, there } = neighbours();
  const old = await here.device("alice");
  street.isClosed = true;
  const newer = await there.device("alice");
  await pass(here);
  assert.equal(old.closedWith, "replaced");
  await pass(there);
  assert.equal(newer.closedWith, undefined);
});

test("G5 receipts come from another node, and are made up for where they were lost", async () => {
  const { street, here, there } = neighbours();
  const alice = await here.device("alice");
  const bob = await there.device("bob");
  await alice.say("alice:bob", "hi");
  await there.until(() => bob.heard.length === 1, "the push");
  street.isClosed = true;
  await bob.ask({ type: "read", positions: [["alice:bob", 1]] }, "read.ok");
  await there.tick();
  assert.equal(
    alice.of("receipt").some(({ read }) => read === 1),
    false,
  );
  await pass(here);
  assert.ok(alice.of("receipt").some(({ user, read }) => user === "bob" && read === 1));
});

test("G4 G5 what has come to rest is not read again, and what moves after that is found", async () => {
  const { street, store, here, there } = neighbours();
  const alice = await here.device("alice");
  const bob = await there.device("bob");
  await alice.say("alice:bob", "hi");
  await there.until(() => bob.heard.length === 1, "the push");
  await bob.ask({ type: "read", positions: [["alice:bob", 1]] }, "read.ok");
  await alice.ask({ type: "read", positions: [["alice:bob", 1]] }, "read.ok");
  await alice.ask({ type: "ack", positions: [["alice:bob", 1]] }, "ack.ok");
  await pass(here);
  street.isClosed = true;
  let reads = 0;
  const { positions } = store;
  store.positions = (of) => {
    reads++;
    return positions.call(store, of);
  };
  await pass(here);
  assert.equal(reads, 0, "everybody has read everything");

  await bob.say("alice:bob", "still there?");
  await pass(here);
  for (let ms = 0; ms < 6_000; ms += 200) await here.tick();
  assert.equal(alice.heard.at(-1), "still there?");
  // Her device has it, and bob has not read his own: nothing rests yet.
  await alice.ask({ type: "read", positions: [["alice:bob", 2]] }, "read.ok");
  await alice.ask({ type: "ack", positions: [["alice:bob", 2]] }, "ack.ok");
  await pass(here);
  await bob.ask({ type: "read", positions: [["alice:bob", 2]] }, "read.ok");
  await pass(here);
  assert.ok(alice.of("receipt").some(({ user, read }) => user === "bob" && read === 2));
});

test("G4 what a resumed session had still to say, before its device moved on, does not take the device back", async () => {
  const { street, here, there } = neighbours();
  const before = await here.device("bob");
  await here.tick();
  before.inbound?.closed();
  const stuck = await here.device("bob", "phone", {
    resume: before.of("connect.ok")[0]?.session,
    sync: false,
  });
  assert.equal(stuck.of("connect.ok")[0]?.resumed, true);
  // The node stands still: it hears neither its device, which gives it up, nor the other node.
  street.isClosed = true;
  const moved = await there.device("bob", "phone", { resume: stuck.of("connect.ok")[0]?.session });
  await there.tick();
  street.isClosed = false;
  stuck.post({ type: "sync" });
  stuck.inbound?.closed();
  await pass(here);
  await pass(there);
  assert.equal(moved.closedWith, undefined);
  assert.equal(here.node.statistics.sessions, 0);
});
