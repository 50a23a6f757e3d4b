import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@hongyan/core/memory";
import { House } from "./house.ts";

const utf8 = new TextDecoder();

test("G4 a group of 200 with 40 online: 40 pushes, one stored copy, batched positions", async () => {
  const house = new House();
  const members = Array.from({ length: 200 }, (_, n) => ({ user: `u${n}`, role: "member" as const }));
  await house.node.backend("d").createConversation({ conversation: "g", members });
  const online = await Promise.all(members.slice(0, 41).map(({ user }) => house.device(user)));
  const [sender, ...others] = online;
  for (const device of online) device.frames.length = 0;
  await sender?.say("g", "hello", "x:1");
  assert.equal(others.flatMap((device) => device.heard).length, 40);
  assert.deepEqual(await house.store.heads(["d/conversation/g"]), [2]);
  const commits = house.node.statistics.commits;
  for (const device of others) device.post({ type: "ack", positions: [["g", 2]] });
  await house.until(() => others.every((device) => device.of("ack.ok").length === 1), "40 acknowledgements");
  assert.equal(house.node.statistics.commits - commits, 1, "40 positions of one moment are one commit");
});

test("G3 concurrent senders: all members see one order", async () => {
  const house = new House();
  const users = ["a", "b", "c", "d", "e"];
  await house.node
    .backend("d")
    .createConversation({ conversation: "g", members: users.map((user) => ({ user, role: "member" })) });
  const devices = await Promise.all(users.map((user) => house.device(user)));
  devices.forEach((device, who) => {
    for (let n = 0; n < 20; n++) {
      device.post({
        type: "send",
        conversation: "g",
        clientMessageId: `x:${n}`,
        body: new TextEncoder().encode(`${users[who]}${n}`),
      });
    }
  });
  await house.until(() => devices.every((device) => device.of("send.ok").length === 20), "all stored");
  await house.settle();
  const log = (await house.node.backend("d").history("g", { after: 1, limit: 1000 })).map(({ body }) =>
    utf8.decode(body),
  );
  assert.equal(log.length, 100);
  devices.forEach((device, who) => {
    const others = log.filter((text) => !text.startsWith(users[who] as string));
    assert.deepEqual(device.heard, others);
  });
});

test("members are added, promoted and removed by those who may, and the log says so", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  const carol = await house.device("carol");
  const made = await alice.ask(
    { type: "create", conversation: "club", name: "Club", members: ["bob"] },
    "create.ok",
  );
  assert.deepEqual(
    { conversation: made.conversation, created: made.created },
    { conversation: "club", created: true },
  );
  assert.equal(
    (await alice.ask({ type: "create", conversation: "club", name: "Club" }, "create.ok")).created,
    false,
  );
  assert.equal(await bob.refused({ type: "create", conversation: "club" }), "conflict");
  await house.settle();
  assert.equal(bob.of("conversation").at(-1)?.name, "Club");

  assert.equal(await bob.refused({ type: "add", conversation: "club", users: ["carol"] }), "forbidden");
  assert.equal(await carol.refused({ type: "add", conversation: "club", users: ["carol"] }), "not_found");
  await alice.say("club", "before carol", "x:1");
  await alice.ask({ type: "add", conversation: "club", users: ["carol", "carol", "bob"] }, "add.ok");
  await alice.say("club", "with carol", "x:2");
  assert.deepEqual(carol.heard.slice(-1), ["with carol"]);
  await carol.ask({ type: "history", conversation: "club", limit: 100 }, "history.ok");
  assert.deepEqual(
    carol
      .of("message")
      .filter((m) => m.id !== 0)
      .map((m) => m.seq),
    [4, 3],
    "nothing from before",
  );

  await alice.ask({ type: "role", conversation: "club", user: "bob", role: "admin" }, "role.ok");
  assert.equal(
    await bob.refused({ type: "role", conversation: "club", user: "bob", role: "owner" }),
    "forbidden",
  );
  await bob.ask({ type: "remove", conversation: "club", users: ["carol"] }, "remove.ok");
  assert.equal(await bob.refused({ type: "remove", conversation: "club", users: ["alice"] }), "forbidden");
  await alice.say("club", "without carol", "x:3");
  assert.equal(carol.of("message").at(-1)?.messageType, "hongyan.removed");
  assert.equal(
    await carol.refused({
      type: "send",
      conversation: "club",
      clientMessageId: "y",
      body: new Uint8Array(1),
    }),
    "not_found",
  );
  const before = carol.frames.length;
  await carol.ask({ type: "history", conversation: "club", after: 0, limit: 100 }, "history.ok");
  assert.equal(
    carol.frames.slice(before).findLast((f) => f.type === "message")?.type === "message"
      ? carol.of("message").at(-1)?.messageType
      : "",
    "hongyan.removed",
    "and nothing after",
  );
  assert.equal(await alice.refused({ type: "join", conversation: "alice:bob" }), "not_found");
});

test("open groups are joined, closed ones look like none", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.ask({ type: "create", conversation: "open", open: true }, "create.ok");
  await alice.ask({ type: "create", conversation: "closed" }, "create.ok");
  await bob.ask({ type: "join", conversation: "open" }, "join.ok");
  assert.equal(await bob.refused({ type: "join", conversation: "closed" }), "not_found");
  assert.equal(await bob.refused({ type: "join", conversation: "none" }), "not_found");
  await bob.ask({ type: "leave", conversation: "open" }, "leave.ok");
  assert.equal(await bob.refused({ type: "leave", conversation: "open" }), "not_found");
});

test("G10 domains with equal ids share nothing", async () => {
  const house = new House();
  const here = await house.device("alice", "phone", { domain: "one" });
  const there = await house.device("alice", "phone", { domain: "two" });
  const bobThere = await house.device("bob", "phone", { domain: "two" });
  await here.say("alice:bob", "secret", "x:1");
  await here.ask({ type: "create", conversation: "g", open: true, name: "secret" }, "create.ok");
  await house.settle();
  assert.deepEqual([there.heard, bobThere.heard], [[], []]);
  for (const type of ["history", "members", "receipts", "join", "leave"] as const) {
    assert.equal(await bobThere.refused({ type, conversation: "g" }), "not_found");
  }
  await bobThere.ask({ type: "sync" }, "sync.ok");
  await bobThere.ask({ type: "list" }, "list.ok");
  await bobThere.ask({ type: "history", conversation: "alice:bob" }, "history.ok");
  assert.deepEqual([bobThere.of("message"), bobThere.of("conversation")], [[], []]);
  await assert.rejects(house.node.backend("two").conversation("g"), { code: "not_found" });
});

test("G4 who is removed, and who stays, is told of it once on each device; after that only who stays", async () => {
  const house = new House();
  const users = ["alice", "bob", "carol", "dave"];
  const members = users.map((user) => ({ user, role: user === "alice" ? "owner" : "member" }) as const);
  await house.node.backend("d").createConversation({ conversation: "g", members });
  const devices = await Promise.all(users.map((user) => house.device(user)));
  await house.settle();
  for (const device of devices) device.frames.length = 0;
  const types = () => devices.map((device) => device.of("message").map(({ messageType }) => messageType));

  const [alice] = devices;
  await alice?.ask({ type: "remove", conversation: "g", users: ["bob", "carol", "bob"] }, "remove.ok");
  await house.settle();
  assert.deepEqual(
    types(),
    users.map(() => ["hongyan.removed"]),
  );
  await house.node.backend("d").addMembers("g", [{ user: "carol", role: "member" }]);
  await house.settle();
  const both = ["hongyan.removed", "hongyan.added"];
  assert.deepEqual(types(), [both, ["hongyan.removed"], both, both]);
});

test("G4 what a member has sent before it is removed is stored before that, or refused", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  const send = (n: number) =>
    bob.post({ type: "send", conversation: "g", clientMessageId: `x:${n}`, body: new Uint8Array([n]) });
  await bob.say("g", "first", "x:0");
  alice.post({ type: "remove", conversation: "g", users: ["bob"] });
  const ids = [1, 2, 3].map(send);
  await new Promise((resolve) => setImmediate(resolve));
  ids.push(send(4));
  await house.until(
    () => ids.every((id) => bob.frames.some((frame) => frame.id === id)),
    "an answer for each",
  );
  const log = await house.node.backend("d").history("g", { after: 0, limit: 100 });
  assert.equal(log.at(-1)?.messageType, "hongyan.removed");
  const stored = log.filter(({ from }) => from === "bob").length;
  assert.equal(bob.of("send.ok").length, stored);
  assert.equal(bob.of("error").filter(({ name }) => name === "not_found").length, 5 - stored);
});

test("G2 a resend after the removal answers the same seq, another body is a conflict, a new message is refused", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  const { seq } = await bob.say("g", "mine", "x:1");
  await alice.ask({ type: "remove", conversation: "g", users: ["bob"] }, "remove.ok");
  const again = await bob.say("g", "mine", "x:1");
  assert.deepEqual({ seq: again.seq, duplicate: again.duplicate }, { seq, duplicate: true });
  const send = { type: "send", conversation: "g", body: new Uint8Array([1]) } as const;
  assert.equal(await bob.refused({ ...send, clientMessageId: "x:1" }), "conflict");
  assert.equal(await bob.refused({ ...send, clientMessageId: "x:2" }), "not_found");
});

test("G4 a new group is announced to its members, also where somebody asks for it while it is made", async () => {
  const store = new MemoryStore();
  const records = store.records.bind(store);
  // What was read is old by the time it is handed over, as on a disk.
  store.records = async (keys) => {
    const found = await records(keys);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return found;
  };
  const house = new House({}, store);
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  for (let n = 0; n < 20; n++) alice.post({ type: "create", conversation: `g${n}`, members: ["bob"] });
  for (let turn = 0; turn < 20; turn++) {
    for (let n = 0; n < 20; n++)
      bob.post({
        type: "send",
        conversation: `g${n}`,
        clientMessageId: `x:${turn}`,
        body: new Uint8Array(1),
      });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await house.until(() => alice.of("create.ok").length === 20, "20 groups");
  await house.settle();
  const announced = bob.of("message").filter(({ messageType }) => messageType === "hongyan.created");
  assert.equal(announced.length, 20);
});

test("G2 G3 a resend that meets the sender's removal is answered from the log; what was refused is nobody's predecessor", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  const stored = await bob.say("g", "one", "p:1");
  alice.post({ type: "remove", conversation: "g", users: ["bob"] });
  const body = new TextEncoder().encode("one");
  const again = bob.post({ type: "send", conversation: "g", clientMessageId: "p:1", body });
  const fresh = bob.post({ type: "send", conversation: "g", clientMessageId: "p:2", after: "p:1", body });
  const answer = (id: number) => bob.frames.find((frame) => frame.id === id);
  await house.until(() => answer(again) !== undefined && answer(fresh) !== undefined, "two answers");
  assert.deepEqual(answer(again), {
    type: "send.ok",
    id: again,
    seq: stored.seq,
    time: stored.time,
    duplicate: true,
  });
  const refused = answer(fresh);
  assert.equal(refused?.type === "error" && refused.name, "not_found");
  await alice.ask({ type: "add", conversation: "g", users: ["bob"] }, "add.ok");
  assert.equal(
    await bob.refused({ type: "send", conversation: "g", clientMessageId: "p:3", after: "p:2", body }),
    "out_of_order",
  );
});

/** Lets a test decide when the question for a key is answered. */
class SlowFinds extends MemoryStore {
  gate: Promise<void> = Promise.resolve();

  override async find(...question: Parameters<MemoryStore["find"]>) {
    await this.gate;
    return super.find(...question);
  }
}

test("G3 who was removed while the message before was looked for writes nothing", async () => {
  const store = new SlowFinds();
  const house = new House({}, store);
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  await bob.say("g", "one", "p:1");
  const again = await house.device("bob", "phone");
  const { promise, resolve } = Promise.withResolvers<void>();
  store.gate = promise;
  const send = { type: "send", conversation: "g", body: new Uint8Array(1) } as const;
  const late = again.post({ ...send, clientMessageId: "p:2", after: "p:1" });
  const behind = again.post({ ...send, clientMessageId: "p:3", after: "p:2" });
  await alice.ask({ type: "remove", conversation: "g", users: ["bob"] }, "remove.ok");
  resolve();
  const answer = (id: number) => again.frames.find((frame) => frame.id === id);
  await house.until(() => answer(late) !== undefined && answer(behind) !== undefined, "two answers");
  for (const id of [late, behind]) {
    const refused = answer(id);
    assert.equal(refused?.type === "error" && refused.name, "not_found");
  }
  assert.deepEqual(await store.heads(["d/conversation/g"]), [3]);
});

test("G5 who is added again begins to count anew", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  await alice.ask({ type: "create", conversation: "g", members: ["bob"] }, "create.ok");
  const unread = async () => {
    const { id } = await bob.ask({ type: "list", conversations: ["g"] }, "list.ok");
    return bob.of("conversation").findLast((frame) => frame.id === id)?.unread;
  };
  await bob.say("g", "own", "x:1");
  assert.equal(await unread(), 0);
  await alice.ask({ type: "remove", conversation: "g", users: ["bob"] }, "remove.ok");
  for (const text of ["unseen 1", "unseen 2"]) await alice.say("g", text);
  await alice.ask({ type: "add", conversation: "g", users: ["bob"] }, "add.ok");
  for (const text of ["a", "b", "c"]) await alice.say("g", text);
  assert.equal(await unread(), 3);
});

test("when the last owner leaves, the longest-standing admin becomes owner, else the longest-standing member", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  const carol = await house.device("carol");
  const dave = await house.device("dave");
  await alice.ask({ type: "create", conversation: "g", members: ["dave", "bob"] }, "create.ok");
  await alice.ask({ type: "add", conversation: "g", users: ["carol"] }, "add.ok");
  await alice.ask({ type: "role", conversation: "g", user: "carol", role: "admin" }, "role.ok");
  await carol.ask({ type: "leave", conversation: "g" }, "leave.ok");
  await alice.ask({ type: "add", conversation: "g", users: ["carol"] }, "add.ok");
  await alice.ask({ type: "role", conversation: "g", user: "carol", role: "admin" }, "role.ok");
  const commits = house.node.statistics.commits;
  await alice.ask({ type: "leave", conversation: "g" }, "leave.ok");
  assert.equal(house.node.statistics.commits - commits, 1, "nobody sees the group without an owner");
  await house.settle();
  const details = async () => {
    const [last] = await house.node.backend("d").history("g", { limit: 1 });
    return [last?.messageType, JSON.parse(utf8.decode(last?.body))];
  };
  assert.deepEqual(await details(), ["hongyan.left", { users: ["alice"], owner: "carol" }]);
  assert.equal(carol.of("conversation").at(-1)?.role, "owner");
  await carol.ask({ type: "role", conversation: "g", user: "dave", role: "member" }, "role.ok");
  // No admin is left; of two who came at the same time the smaller id. What the store has is the same.
  await house.node.backend("d").removeMember("g", "carol");
  assert.deepEqual(await details(), ["hongyan.removed", { users: ["carol"], by: "", owner: "bob" }]);
  const again = new House({}, house.store);
  const { items } = await again.node.backend("d").members("g", "", 10);
  assert.deepEqual(
    items.map(({ user, role }) => `${user} ${role}`),
    ["bob owner", "dave member"],
  );
  // Not the last one: nothing changes hands. And the very last one leaves nobody behind.
  await bob.ask({ type: "role", conversation: "g", user: "dave", role: "owner" }, "role.ok");
  await bob.ask({ type: "leave", conversation: "g" }, "leave.ok");
  assert.deepEqual(await details(), ["hongyan.left", { users: ["bob"] }]);
  await dave.ask({ type: "leave", conversation: "g" }, "leave.ok");
  assert.deepEqual(await details(), ["hongyan.left", { users: ["dave"] }]);
});

test("a name with control characters or lone surrogates is refused at every door of the core", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const backend = house.node.backend("d");
  await alice.ask({ type: "create", conversation: "g", name: "\u96c1 🪿" }, "create.ok");
  for (const name of ["a\nb", "\u0000", "\u007f", "\ud800", "x".repeat(129)]) {
    assert.equal(await alice.refused({ type: "create", conversation: "h", name }), "bad_request");
    assert.equal(await alice.refused({ type: "update", conversation: "g", name }), "bad_request");
    const refused = { code: "bad_request", message: /^a name is/ };
    await assert.rejects(backend.createConversation({ conversation: "h", name, members: [] }), refused);
    await assert.rejects(backend.updateConversation("g", { name }), refused);
    await assert.rejects(backend.putUser({ user: "alice", name }), refused);
  }
  assert.equal((await backend.conversation("g")).name, "\u96c1 🪿");
  await assert.rejects(backend.conversation("h"), { code: "not_found" });
});
