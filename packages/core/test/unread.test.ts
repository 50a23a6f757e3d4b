import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@hongyan/core/memory";
import { Conversation } from "../src/conversation.ts";
import { encodeMessage } from "../src/index.ts";
import { countUnread, needsCount, unreadCount } from "../src/unread.ts";
import { type Device, House } from "./house.ts";
import { neighbours } from "./street.ts";

const log = "d/conversation/g";

/** A group and its log, to which entries are appended by hand. */
async function group(...users: string[]) {
  const store = new MemoryStore();
  const about = { kind: "group", name: undefined, open: false, createdAt: 0, by: "" } as const;
  const conversation = new Conversation("d", "g", about, 1, 0);
  for (const user of users) conversation.setMember(user, { role: "member", since: 1 }, 1);
  let entries = 0;
  const commit = async (from: string, isSystem = false) => {
    const type = isSystem ? "hongyan.renamed" : undefined;
    const body = encodeMessage(from, `${++entries}`, type, new Uint8Array(1));
    await store.commit({
      appends: [{ log, producer: "", number: 0, time: 0, body }],
      advances: [],
      puts: [],
    });
    return { seq: entries, from };
  };
  const append = async (from: string, isSystem = false) =>
    conversation.append(await commit(from, isSystem), isSystem);
  const unread = async (user: string) => {
    const member = conversation.member(user);
    assert.ok(member);
    await countUnread(store, conversation, member);
    return unreadCount(conversation, member);
  };
  return { conversation, commit, append, unread };
}

test("G5 a system entry counts for nobody, whether they were counted before it or after", async () => {
  const { conversation, append, unread } = await group("alice", "bob", "carol");
  await append("alice");
  assert.equal(await unread("bob"), 1);
  for (let n = 0; n < 3; n++) await append("alice", true);
  assert.equal(await unread("bob"), 1, "counted before");
  const { systemEntries } = conversation;
  assert.equal(systemEntries, 3);
  await append("bob");
  assert.equal(await unread("bob"), 1, "their own");
  assert.equal(await unread("carol"), 2);
  const bob = conversation.member("bob");
  assert.ok(bob);
  conversation.raise(bob, "read", 3);
  assert.equal(await unread("bob"), 0, "2 system entries and one of their own follow");
  await append("carol");
  await append("carol", true);
  conversation.raise(bob, "read", conversation.head);
  await append("alice", true);
  await append("alice");
  assert.equal(await unread("bob"), 1, "everything was read, and then came one of each");
});

test("G5 who has read beyond what this node knows of is counted from where they have read", async () => {
  const { conversation, commit, append, unread } = await group("alice", "bob");
  await append("alice");
  assert.equal(await unread("bob"), 1);
  const bob = conversation.member("bob");
  assert.ok(bob);
  // On another node there are three more, two of them the server's, and bob has read the first two of those.
  const later = [await commit("alice", true), await commit("alice", true), await commit("alice")];
  conversation.raise(bob, "read", 3);
  assert.equal(needsCount(conversation, bob), false);
  assert.equal(await unread("bob"), 0);
  later.forEach((message, at) => {
    conversation.append(message, at < 2);
  });
  await append("alice", true);
  assert.equal(await unread("bob"), 1);
});

test("a system entry, and one who comes and goes, cost no look at all members", async () => {
  const users = Array.from({ length: 1000 }, (_, n) => `u${n}`);
  const { conversation, append, unread } = await group(...users);
  assert.equal(await unread("u1"), 0);
  assert.equal(conversation.audience.list.length, 1000);
  const { version } = conversation.audience;
  for (const walk of ["values", "entries", "keys", "forEach", Symbol.iterator] as const)
    Object.defineProperty(conversation.people, walk, { value: () => assert.fail("all were looked at") });
  await append("u0", true);
  conversation.setMember("new", { role: "owner", since: 1 }, 1);
  conversation.setMember("u5", { role: "member", since: 1, until: 1 }, 1);
  conversation.setMember("u6", { role: "owner", since: 1 }, 1);
  assert.equal(unreadCount(conversation, conversation.member("u1") ?? assert.fail()), 0);
  assert.deepEqual(conversation.audience.since(version), [
    { subject: "d/new", isIn: true },
    { subject: "d/u5", isIn: false },
  ]);
  assert.deepEqual([conversation.memberCount, conversation.ownerCount], [1000, 2]);
});

async function unreadOf(device: Device): Promise<number | undefined> {
  const { id } = await device.ask({ type: "list", conversations: ["g"] }, "list.ok");
  return device.of("conversation").findLast((frame) => frame.id === id)?.unread;
}

test("G5 unread counts stay right while members come and go, and after a restart", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  const carol = await house.device("carol");
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  await alice.say("g", "1");
  assert.equal(await unreadOf(bob), 1);
  await alice.ask({ type: "add", conversation: "g", users: ["carol", "dave"] }, "add.ok");
  await alice.ask({ type: "remove", conversation: "g", users: ["dave"] }, "remove.ok");
  assert.deepEqual([await unreadOf(bob), await unreadOf(carol)], [1, 0]);
  await carol.say("g", "2");
  await alice.ask({ type: "update", conversation: "g", name: "new" }, "update.ok");
  assert.deepEqual([await unreadOf(bob), await unreadOf(carol), await unreadOf(alice)], [2, 0, 1]);
  // The created entry, one message, and the first of the changes.
  await bob.ask({ type: "read", positions: [["g", 3]] }, "read.ok");
  await alice.ask({ type: "role", conversation: "g", user: "bob", role: "admin" }, "role.ok");
  assert.equal(await unreadOf(bob), 1);
  await bob.ask({ type: "read", positions: [["g", 7]] }, "read.ok");
  await alice.ask({ type: "add", conversation: "g", users: ["dave"] }, "add.ok");
  await alice.say("g", "3");
  const expected = [1, 1, 1];
  assert.deepEqual([await unreadOf(bob), await unreadOf(carol), await unreadOf(alice)], expected);
  const again = new House({}, house.store);
  const devices = [await again.device("bob"), await again.device("carol"), await again.device("alice")];
  assert.deepEqual(await Promise.all(devices.map(unreadOf)), expected);
});

test("G5 unread counts are right on a node that hears of a read before it hears of what was read", async () => {
  const { street, here, there } = neighbours();
  const alice = await here.device("alice");
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  await alice.say("g", "1");
  const bob = await there.device("bob");
  assert.equal(await unreadOf(bob), 1);
  street.isClosed = true;
  await alice.say("g", "2");
  await alice.ask({ type: "update", conversation: "g", name: "new" }, "update.ok");
  await alice.say("g", "3");
  street.carry(["d/bob"], { kind: "receipt", conversation: "g", user: "bob", delivered: 4, read: 4 });
  await there.settle();
  assert.equal(await unreadOf(bob), 1);
  await alice.ask({ type: "update", conversation: "g", name: "newer" }, "update.ok");
  await alice.say("g", "4");
  assert.equal(await unreadOf(bob), 2);
});
