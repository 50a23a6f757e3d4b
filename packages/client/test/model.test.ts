import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import { type Person, textOf, World } from "./support/world.ts";

const pair = "alice:bob";

function numbered(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, i) => `m${i + from}`);
}

/** A second passes, and the server's clock says what that of the device says. */
async function later(world: World): Promise<void> {
  await world.clock.advance(1000);
  world.server.time = world.clock.now();
}

function shown(person: Person, conversation = pair): (string | undefined)[] {
  return person.client.messages(conversation).snapshot.messages.map(({ text }) => text);
}

test("snapshots keep their identity until something in them changes", async () => {
  const world = new World();
  const bob = await world.live("bob");
  world.server.append(pair, "alice", "one");
  world.server.append("bob:zoe", "zoe", "two");
  await world.clock.until(() => bob.seen.length === 2, "seen");
  const view = bob.client.messages(pair);
  assert.equal(bob.client.messages(pair), view);
  let calls = 0;
  const end = view.subscribe(() => calls++);
  await world.clock.settle();
  const { messages } = view.snapshot;
  const [list, state] = [bob.client.conversations.snapshot, bob.client.state];
  assert.equal(bob.client.conversations.snapshot, list);
  assert.equal(bob.client.state, state);
  const other = bob.client.conversation("bob:zoe");
  calls = 0;
  world.server.append(pair, "alice", "three");
  await world.clock.until(() => bob.seen.length === 3, "seen");
  await world.clock.advance(500);
  assert.equal(calls, 1);
  assert.equal(view.snapshot.messages[0], messages[0], "what has not changed stays the same object");
  assert.notEqual(bob.client.conversations.snapshot, list);
  assert.equal(bob.client.conversation("bob:zoe"), other);
  end();
});

test("the list is sorted by activity and has unread counts, last messages and peers", async () => {
  const world = new World();
  const bob = await world.live("bob");
  world.server.append(pair, "alice", "first");
  world.server.append("bob:zoe", "zoe", "second");
  world.server.append("bob:zoe", "zoe", "third");
  await world.clock.until(() => bob.seen.length === 3, "seen");
  assert.deepEqual(
    bob.client.conversations.snapshot.map(({ peer, unread, last }) => [peer, unread, last?.text]),
    [
      ["zoe", 2, "third"],
      ["alice", 1, "first"],
    ],
  );
});

test("unread counts follow the positions and equal the server's: own and system entries do not count", async () => {
  const world = new World();
  world.server.log("team", ["alice", "bob"]);
  const bob = await world.live("bob");
  world.server.append("team", "alice", "{}", "hongyan.created");
  for (const text of numbered(5)) world.server.append("team", "alice", text);
  await world.clock.until(() => bob.seen.length === 6, "seen");
  bob.client.send("team", "own");
  await world.clock.until(() => bob.seen.length === 7, "own is stored");
  assert.equal(bob.client.conversation("team")?.unread, 5);
  // Nothing is shown here, so only the server can count what is left of a part.
  bob.client.markRead("team", 3);
  await world.clock.until(() => bob.client.conversation("team")?.unread === 3, "the server's count");
  const end = bob.client.messages("team").subscribe(() => undefined);
  await world.clock.settle();
  bob.client.markRead("team", 4);
  await world.clock.settle();
  assert.equal(bob.client.conversation("team")?.unread, 2, "counted from what is shown");
  bob.client.markRead("team", 2);
  assert.equal(bob.client.conversation("team")?.read, 4, "never back");
  bob.client.markRead("team");
  await world.clock.settle();
  assert.equal(bob.client.conversation("team")?.unread, 0);
  await world.clock.until(() => world.server.log("team").read.get("bob") === 7, "told");
  end();
});

test("a read position set offline is kept and told later, also after a restart", async () => {
  const world = new World();
  const storage = new MemoryStorage();
  const bob = await world.live("bob", { storage });
  world.server.append(pair, "alice", "hello");
  await world.clock.until(() => bob.seen.length === 1, "seen");
  bob.network.isDown = true;
  bob.network.cut();
  bob.client.markRead(pair);
  await world.clock.settle();
  assert.equal(bob.client.conversation(pair)?.unread, 0);
  world.crash(bob);
  const again = await world.live("bob", { storage });
  await world.clock.until(() => world.server.log(pair).read.get("bob") === 1, "told");
  assert.equal(again.client.conversation(pair)?.unread, 0);
});

test("a new device shows the newest messages and pages back through the server's history", async () => {
  const world = new World();
  for (const text of numbered(130)) world.server.append(pair, "alice", text);
  world.server.log(pair).read.set("bob", 130);
  const storage = new MemoryStorage();
  const bob = await world.live("bob", { storage });
  assert.equal(bob.seen.length, 0, "what the user has read is not a backlog");
  const view = bob.client.messages(pair);
  const end = view.subscribe(() => undefined);
  await world.clock.until(() => view.snapshot.messages.length === 50, "the first page");
  assert.deepEqual(shown(bob), numbered(50, 81));
  await view.loadOlder();
  assert.deepEqual(shown(bob), numbered(100, 31));
  await view.loadOlder();
  assert.deepEqual(shown(bob), numbered(130));
  assert.equal(view.snapshot.atStart, true);
  const asked = bob.network.up.filter(({ type }) => type === "history").length;
  end();
  // What was fetched is kept: the next start shows it without the network.
  const again = world.person("bob", { storage });
  again.network.isDown = true;
  await again.client.start();
  const kept = again.client.messages(pair);
  kept.subscribe(() => undefined);
  await world.clock.until(() => kept.snapshot.messages.length === 50, "shown offline");
  await kept.loadOlder();
  assert.equal(kept.snapshot.messages.length, 100);
  assert.equal(bob.network.up.filter(({ type }) => type === "history").length, asked);
});

test("a window is bounded and can be moved to both ends", async () => {
  const world = new World();
  const settings = { viewMessagesFirst: 20, viewMessagesStep: 20, viewMessagesMax: 50 };
  const bob = await world.live("bob", { settings });
  for (const text of numbered(200)) world.server.append(pair, "alice", text);
  await world.clock.until(() => bob.seen.length === 200, "seen");
  const view = bob.client.messages(pair);
  view.subscribe(() => undefined);
  await world.clock.settle();
  for (let i = 0; i < 5; i++) await view.loadOlder();
  assert.deepEqual(shown(bob), numbered(50, 81));
  assert.equal(view.snapshot.atEnd, false);
  world.server.append(pair, "alice", "m201");
  await world.clock.until(() => bob.seen.length === 201, "seen");
  assert.deepEqual(shown(bob), numbered(50, 81), "a window that was moved back stays");
  await view.loadNewer();
  assert.deepEqual(shown(bob), numbered(50, 101));
  for (let i = 0; i < 4; i++) await view.loadNewer();
  assert.equal(view.snapshot.atEnd, true);
  assert.deepEqual(shown(bob), numbered(50, 152));
  for (let i = 0; i < 5; i++) await view.loadOlder();
  await view.toLatest();
  assert.deepEqual(shown(bob).at(-1), "m201");
  world.server.append(pair, "alice", "m202");
  await world.clock.until(() => shown(bob).at(-1) === "m202", "follows again");
});

test("older messages that are not kept here are refused offline", async () => {
  const world = new World();
  for (const text of numbered(100)) world.server.append(pair, "alice", text);
  world.server.log(pair).read.set("bob", 90);
  const bob = await world.live("bob");
  const view = bob.client.messages(pair);
  view.subscribe(() => undefined);
  await world.clock.until(() => shown(bob).length >= 50, "the first page");
  bob.network.isDown = true;
  bob.network.cut();
  await world.clock.settle();
  await assert.rejects(view.loadOlder(), { code: "unavailable" });
  assert.equal(view.snapshot.loading, false);
});

test("ticks in a group: delivered and read by every other member, known while it is shown", async () => {
  const world = new World();
  world.server.log("team", ["alice", "bob", "carol"]);
  const alice = await world.live("alice");
  const bob = await world.live("bob");
  alice.client.send("team", "hello all");
  await world.clock.until(() => alice.sent.length === 1, "stored");
  const view = alice.client.messages("team");
  view.subscribe(() => undefined);
  const receipts = alice.client.receipts("team");
  receipts.subscribe(() => undefined);
  await world.clock.until(
    () => receipts.snapshot.receipts.some(({ delivered }) => delivered === 1),
    "bob has it",
  );
  assert.equal(view.snapshot.messages[0]?.status, "stored", "carol has not");
  const carol = await world.live("carol");
  await world.clock.until(() => view.snapshot.messages[0]?.status === "delivered", "all have it");
  bob.client.markRead("team");
  carol.client.markRead("team");
  await world.clock.until(() => view.snapshot.messages[0]?.status === "read", "all have read it");
});

test("receipts that were lost are asked for", async () => {
  const world = new World();
  const alice = await world.live("alice");
  await world.live("bob");
  alice.network.dropNext("receipt", 1);
  alice.client.send(pair, "hello");
  await world.clock.until(() => alice.client.conversation(pair)?.delivered === 1, "by the number in a ping");
  assert.ok(alice.network.up.some(({ type }) => type === "ping"));
});

test("names are fetched once, together", async () => {
  const world = new World();
  const alice = await world.live("alice");
  const profiles = ["bob", "carol", "bob"].map((user) => alice.client.profile(user));
  for (const profile of profiles) profile.subscribe(() => undefined);
  await world.clock.until(() => profiles.every(({ snapshot }) => snapshot.name !== undefined), "names");
  assert.equal(profiles[0]?.snapshot.name, "BOB");
  assert.equal(alice.network.up.filter(({ type }) => type === "users").length, 1);
});

test("who is looked at is asked for together, followed, and asked for again on the next connection", async () => {
  const world = new World();
  await world.live("bob");
  const alice = await world.live("alice");
  const views = ["bob", "carol"].map((user) => alice.client.online(user));
  const states = () => views.map(({ snapshot }) => snapshot);
  assert.deepEqual(states(), [undefined, undefined]);
  for (const view of views) view.subscribe(() => undefined);
  await world.clock.until(() => states()[1] !== undefined, "the answer");
  assert.deepEqual(states(), [true, false]);
  const asked = () => alice.network.up.filter(({ type }) => type === "presence");
  assert.deepEqual(
    asked().map((frame) => frame.type === "presence" && [frame.users, frame.watch]),
    [[["bob", "carol"], true]],
  );
  world.server.push("alice", { type: "online", id: 0, user: "carol", online: true });
  await world.clock.until(() => states()[1] === true, "the push");
  alice.network.cut();
  await world.clock.until(() => alice.client.state.status !== "live", "the loss");
  assert.deepEqual(states(), [undefined, undefined], "without a connection nobody knows");
  await world.clock.until(() => states()[1] !== undefined, "the next answer");
  assert.deepEqual(states(), [true, false]);
  assert.equal(asked().length, 2);
});

test("who is looked at again is followed again, and of more than 200 those looked at last", async () => {
  const world = new World();
  await world.live("bob");
  const alice = await world.live("alice");
  const bob = alice.client.online("bob");
  bob.subscribe(() => undefined)();
  const end = bob.subscribe(() => undefined);
  await world.clock.until(() => bob.snapshot === true, "bob");
  for (let n = 0; n < 250; n++) {
    alice.client.online(`u${n}`).subscribe(() => undefined)();
    if (n % 10 === 9) await world.clock.settle();
  }
  const last = alice.client.online("u0");
  last.subscribe(() => undefined);
  await world.clock.until(() => last.snapshot === false, "u0");
  const named = alice.network.up.flatMap((frame) => (frame.type === "presence" ? frame.users : []));
  assert.ok(named.slice(-200).includes("bob"), "who is looked at is not forgotten for those who are not");
  end();
  assert.equal(bob.snapshot, undefined, "nobody follows any more");
  for (let n = 0; n < 201; n++) alice.client.online(`v${n}`).subscribe(() => undefined);
  await world.clock.until(() => alice.client.online("v200").snapshot === false, "the last");
  assert.equal(
    alice.client.online("v0").snapshot,
    undefined,
    "beyond what the server remembers nobody knows",
  );
});

test("what the server tells while it is asked is newer than its answer", async () => {
  const world = new World();
  await world.live("bob");
  const alice = await world.live("alice");
  const view = alice.client.online("bob");
  world.server.refuse = (command, peer) => {
    if (command.type !== "presence") return undefined;
    const online = { type: "online", user: "bob" } as const;
    peer.write({ ...online, id: command.id, online: true });
    peer.write({ type: "presence.ok", id: command.id, count: 1 });
    peer.write({ ...online, id: 0, online: false });
    return { code: "internal" };
  };
  view.subscribe(() => undefined);
  await world.clock.until(() => view.snapshot !== undefined, "an answer");
  await world.clock.settle();
  assert.equal(view.snapshot, false);
});

test("a server that does not say who is online is not asked again and again", async () => {
  const world = new World();
  const alice = await world.live("alice");
  world.server.refuse = ({ type }) => (type === "presence" ? { code: "forbidden" } : undefined);
  const view = alice.client.online("bob");
  view.subscribe(() => undefined);
  await world.clock.advance(60_000);
  assert.equal(view.snapshot, undefined);
  assert.equal(alice.network.up.filter(({ type }) => type === "presence").length, 1);
});

test("a handler that throws does not keep others from being called", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.client.on("sent", () => {
    throw new Error("a mistake of the application");
  });
  let called = false;
  alice.client.on("sent", () => {
    called = true;
  });
  alice.client.send(pair, "hello");
  await world.clock.until(() => called, "called");
  assert.match(alice.errors[0]?.message ?? "", /mistake/);
});

test("a refused message stays where it was sent: what is sent or comes later stands after it, also in the list", async () => {
  const world = new World();
  const alice = await world.live("alice");
  await later(world);
  world.server.refuse = (command) =>
    command.type === "send" && textOf({ body: command.body ?? new Uint8Array() }) === "too long"
      ? { code: "too_large" }
      : undefined;
  world.server.append(pair, "bob", "before");
  await world.clock.until(() => alice.seen.length === 1, "seen");
  const view = alice.client.messages(pair);
  const end = view.subscribe(() => undefined);
  await later(world);
  alice.client.send(pair, "too long");
  await world.clock.until(() => alice.failed.length === 1, "refused");
  const last = () => alice.client.conversation(pair)?.last?.text;
  assert.deepEqual(shown(alice), ["before", "too long"]);
  assert.equal(last(), "too long", "nothing has come after it yet");
  await later(world);
  alice.client.send(pair, "short");
  assert.deepEqual(shown(alice), ["before", "too long", "short"], "on its way");
  await world.clock.until(() => alice.sent.length === 1, "stored");
  await later(world);
  world.server.append(pair, "bob", "answer");
  await world.clock.until(() => alice.seen.length === 3, "seen");
  assert.deepEqual(shown(alice), ["before", "too long", "short", "answer"]);
  assert.equal(last(), "answer");
  end();
});

test("a refused message is shown with the piece of the log that it belongs to", async () => {
  const world = new World();
  const alice = await world.live("alice", {
    settings: { viewMessagesFirst: 10, viewMessagesStep: 10, viewMessagesMax: 20 },
  });
  world.server.refuse = (command) => (command.type === "send" ? { code: "too_large" } : undefined);
  for (const text of numbered(15)) world.server.append(pair, "bob", text);
  await world.clock.until(() => alice.seen.length === 15, "seen");
  await later(world);
  alice.client.send(pair, "too long");
  await world.clock.until(() => alice.failed.length === 1, "refused");
  await later(world);
  for (const text of numbered(15, 16)) world.server.append(pair, "bob", text);
  await world.clock.until(() => alice.seen.length === 30, "seen");
  const view = alice.client.messages(pair);
  const end = view.subscribe(() => undefined);
  await world.clock.settle();
  assert.deepEqual(shown(alice), numbered(10, 21), "it belongs further up");
  await view.loadOlder();
  assert.deepEqual(shown(alice), [...numbered(5, 11), "too long", ...numbered(15, 16)]);
  await view.loadOlder();
  assert.deepEqual(shown(alice), [...numbered(15), "too long", ...numbered(5, 16)], "the end was let go");
  end();
});
