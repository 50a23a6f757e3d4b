import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@hongyan/core/memory";
import { recordKeys } from "../src/index.ts";
import { Memberships } from "../src/memberships.ts";
import { encodeRecord } from "../src/record.ts";
import { type Device, House } from "./house.ts";

/** Counts reads of lists, and lets a test hold or fail them. */
class CountedStore extends MemoryStore {
  reads = 0;
  gate: Promise<void> = Promise.resolve();

  override async list(prefix: string, after: string, count: number) {
    this.reads++;
    const rows = await super.list(prefix, after, count);
    await this.gate;
    return rows;
  }
}

const key = (user: string, conversation: string) => recordKeys.membership("d", user, conversation);

function scene(rememberedMax = 100) {
  const store = new CountedStore();
  const memberships = new Memberships(store, rememberedMax);
  const put = async (user: string, conversation: string, since = 1) => {
    const value = encodeRecord({ role: "member", since });
    await store.commit({
      appends: [],
      advances: [],
      puts: [{ key: key(user, conversation), value }],
    });
    memberships.written(key(user, conversation));
  };
  const of = async (user: string) =>
    (await memberships.of("d", user)).map(({ conversation, member }) => `${conversation} ${member.since}`);
  return { store, memberships, put, of };
}

test("the conversations of a user are read once, and again when one of them was written", async () => {
  const { store, memberships, put, of } = scene();
  await put("bob", "a:bob");
  await put("bob", "g", 7);
  await put("bob", "h", 7);
  await put("bo", "x");
  assert.deepEqual(await of("bob"), ["a:bob 1", "g 7", "h 7"]);
  assert.deepEqual([await of("bob"), await of("bo")].flat(), ["a:bob 1", "g 7", "h 7", "x 1"]);
  assert.equal(store.reads, 2);
  memberships.written("d/member/g/bob");
  await put("bo", "y");
  await of("bob");
  assert.equal(store.reads, 2, "that is nothing of bob's");
  await put("bob", "g", 9);
  assert.deepEqual(await of("bob"), ["a:bob 1", "g 9", "h 7"]);
});

test("what was read while it was written is not remembered, and one read serves all who wait", async () => {
  const { store, put, of } = scene();
  await put("bob", "a:bob");
  const { promise, resolve } = Promise.withResolvers<void>();
  store.gate = promise;
  const early = [of("bob"), of("bob")];
  await new Promise(setImmediate);
  assert.equal(store.reads, 1);
  await put("bob", "g");
  const late = of("bob");
  resolve();
  assert.deepEqual(await Promise.all(early), [["a:bob 1"], ["a:bob 1"]]);
  assert.deepEqual(await late, ["a:bob 1", "g 1"]);
  assert.deepEqual(await of("bob"), ["a:bob 1", "g 1"]);
  assert.equal(store.reads, 2);
});

test("a read that fails is made again", async () => {
  const { store, put, of } = scene();
  await put("bob", "a:bob");
  store.gate = Promise.reject(new Error("not now"));
  await assert.rejects(of("bob"), /not now/);
  store.gate = Promise.resolve();
  assert.deepEqual(await of("bob"), ["a:bob 1"]);
});

test("G8 what is remembered is bounded: who was not asked for longest goes first", async () => {
  const { store, memberships, put, of } = scene(7);
  for (const user of ["a", "b", "c"]) for (const conversation of ["1", "2"]) await put(user, conversation);
  for (const conversation of ["1", "2", "3", "4", "5", "6", "7"]) await put("many", conversation);
  await of("a");
  await of("b");
  await of("a");
  await of("c");
  const readsFor = async (user: string) => {
    const before = store.reads;
    await of(user);
    return store.reads - before;
  };
  assert.deepEqual([await readsFor("a"), await readsFor("c"), await readsFor("b")], [0, 0, 1]);
  assert.deepEqual(
    [await readsFor("many"), await readsFor("many")],
    [1, 1],
    "more than all there is room for",
  );
  assert.equal(await readsFor("b"), 0);
  memberships.clear();
  assert.equal(await readsFor("b"), 1);
  memberships.share();
  assert.deepEqual([await readsFor("b"), await readsFor("b")], [1, 1]);
});

/** What the device reads when it comes back, as `conversation#seq`. */
async function comesBack(house: House): Promise<string[]> {
  const device: Device = await house.device("bob", "phone", { sync: false });
  const { id } = await device.ask({ type: "sync" }, "sync.ok");
  const items = device.of("message").filter((frame) => frame.id === id);
  const positions = new Map(items.map(({ conversation, seq }) => [conversation, seq]));
  await device.ask({ type: "ack", positions: [...positions] }, "ack.ok");
  device.inbound?.closed();
  return items.map(({ conversation, seq }) => `${conversation}#${seq}`);
}

test("G4 who comes back finds what has begun, ended and begun again while they were away", async () => {
  const store = new CountedStore();
  const house = new House({}, store);
  const backend = house.node.backend("d");
  const alice = await house.device("alice");
  assert.deepEqual(await comesBack(house), []);
  await alice.say("alice:bob", "the first");
  assert.deepEqual(await comesBack(house), ["alice:bob#1"]);
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  await backend.send({ conversation: "bob:z", from: "z", clientMessageId: "x", body: new Uint8Array(1) });
  assert.deepEqual(await comesBack(house), ["bob:z#1", "g#1"]);
  const { reads } = store;
  await alice.say("g", "to be read");
  assert.deepEqual(await comesBack(house), ["g#2"]);
  assert.equal(store.reads, reads, "from memory");
  await alice.ask({ type: "remove", conversation: "g", users: ["bob"] }, "remove.ok");
  await alice.say("g", "without bob");
  assert.deepEqual(await comesBack(house), ["g#3"]);
  await alice.ask({ type: "add", conversation: "g", users: ["bob"] }, "add.ok");
  await alice.say("g", "with bob");
  assert.deepEqual(await comesBack(house), ["g#5", "g#6"]);
});

test("G4 a conversation of which it is not known whether it was stored is found once the store is back", async () => {
  const store = new MemoryStore();
  const house = new House({}, store);
  const alice = await house.device("alice");
  assert.deepEqual(await comesBack(house), []);
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await commit(batch);
    throw new Error("the disk took it and said that it had not");
  };
  const send = {
    type: "send",
    conversation: "alice:bob",
    clientMessageId: "x",
    body: new Uint8Array(1),
  } as const;
  assert.equal(await alice.refused(send), "unavailable");
  store.commit = commit;
  await house.tick();
  assert.deepEqual(await comesBack(house), ["alice:bob#1"]);
});
