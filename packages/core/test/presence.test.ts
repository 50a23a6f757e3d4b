import assert from "node:assert/strict";
import { test } from "node:test";
import { type Device, House, repairEveryMs } from "./house.ts";
import { neighbours, pass } from "./street.ts";

/** `alice+`: told online; `alice-`: offline. */
const told = (device: Device): string[] =>
  device
    .of("online")
    .filter(({ id }) => id === 0)
    .map(({ user, online }) => `${user}${online ? "+" : "-"}`);

/** Whom the answer to a `presence` names. */
async function ask(
  house: House,
  device: Device,
  users: readonly string[],
  watch?: boolean,
): Promise<string[]> {
  const answer = device.ask({ type: "presence", users: [...users], watch }, "presence.ok");
  await house.settle();
  // Other nodes have so long to answer.
  await house.tick(400);
  const { id, count } = await answer;
  const items = device.of("online").filter((item) => item.id === id);
  assert.equal(count, items.length);
  return items.map(({ user }) => user);
}

test("who has a device online is online, devices count as one, and who is watched is told of", async () => {
  const house = new House({ sessionGraceMs: 1000 });
  const alice = await house.device("alice");
  assert.deepEqual(await ask(house, alice, ["alice", "bob", "nobody", "?"], true), ["alice"]);
  const phone = await house.device("bob", "phone");
  const tablet = await house.device("bob", "tablet");
  await house.tick();
  assert.deepEqual(told(alice), ["bob+"]);
  phone.post({ type: "disconnect" });
  await house.tick();
  assert.deepEqual(told(alice), ["bob+"], "one of two devices");
  tablet.inbound?.closed();
  await house.tick();
  assert.deepEqual(told(alice), ["bob+"], "a gap is not an absence");
  await house.tick(2000);
  assert.deepEqual(told(alice), ["bob+", "bob-"]);
});

test("a device watches the 200 whom it named last", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const many = Array.from({ length: 201 }, (_, n) => `u${n}`);
  assert.equal(await alice.refused({ type: "presence", users: many, watch: true }), "bad_request");
  assert.deepEqual(await ask(house, alice, many), []);
  await ask(house, alice, ["bob", "carol"], true);
  await ask(house, alice, many.slice(0, 198), true);
  await ask(house, alice, ["bob"], true);
  await ask(house, alice, ["dave"], true);
  for (const user of ["bob", "carol", "dave"]) await house.device(user);
  await house.tick();
  assert.deepEqual(told(alice), ["bob+", "dave+"]);
});

test("a watcher that does not read is told the last word when it does, and one that comes back too", async () => {
  const house = new House({ outboxBytesMax: 1000, sessionGraceMs: 0 });
  const alice = await house.device("alice");
  await ask(house, alice, ["bob"], true);
  alice.bufferedBytes = 1001;
  const bob = await house.device("bob");
  await house.tick();
  bob.post({ type: "disconnect" });
  await house.tick();
  assert.deepEqual(told(alice), []);
  alice.bufferedBytes = 0;
  await house.tick();
  assert.deepEqual(told(alice), ["bob-"]);
});

test("changes within a tick are told once", async () => {
  const house = new House();
  const alice = await house.device("alice");
  await ask(house, alice, ["bob"], true);
  const bob = await house.device("bob");
  bob.post({ type: "disconnect" });
  await house.tick();
  assert.deepEqual(told(alice), []);
});

test("G10 presence is not seen across domains, nor where the server does not say it", async () => {
  const house = new House();
  await house.device("bob");
  const stranger = await house.device("alice", "phone", { domain: "other" });
  assert.deepEqual(await ask(house, stranger, ["bob"], true), []);
  await house.device("bob", "tablet");
  await house.tick();
  assert.deepEqual(told(stranger), []);
  assert.deepEqual(await house.node.backend("d").online(["bob", "carol"]), ["bob"]);
  assert.deepEqual(await house.node.backend("other").online(["bob"]), []);
  const silent = new House({ presence: false });
  assert.equal(
    await (await silent.device("alice")).refused({ type: "presence", users: ["bob"] }),
    "forbidden",
  );
});

test("without a directory users see only whom they have a conversation with", async () => {
  const house = new House({ userDirectory: false });
  const alice = await house.device("alice");
  await house.device("bob");
  await house.device("carol");
  await alice.say("alice:bob", "hello");
  assert.deepEqual(await ask(house, alice, ["alice", "bob", "carol"]), ["alice", "bob"]);
});

test("users of another node are seen, and leave when they do", async () => {
  const { here, there } = neighbours({ sessionGraceMs: 0 });
  const bob = await there.device("bob");
  const alice = await here.device("alice");
  assert.deepEqual(await ask(here, alice, ["bob", "carol"], true), ["bob"]);
  assert.deepEqual(await ask(here, await here.device("dave"), ["bob"]), ["bob"], "asked without watching");
  await there.device("carol");
  await here.tick();
  bob.post({ type: "disconnect" });
  await there.settle();
  await here.tick();
  // Bob may have been told before the answer named him.
  assert.deepEqual(
    told(alice).filter((one) => one !== "bob+"),
    ["carol+", "bob-"],
  );
});

test("who moves to another node is not seen to leave", async () => {
  const { here, there } = neighbours({ sessionGraceMs: 0 });
  const alice = await here.device("alice");
  const bob = await here.device("bob");
  await ask(here, alice, ["bob"], true);
  const moved = await there.device("bob");
  await there.until(() => here.node.statistics.sessions >= 1 && moved.frames.length > 0, "the move");
  await here.tick();
  bob.post({ type: "disconnect" });
  await pass(here);
  assert.deepEqual(told(alice), []);
});

test("a node that dies leaves no ghosts, and what was lost on the way is asked for again", async () => {
  const { street, here, there } = neighbours();
  const alice = await here.device("alice");
  await ask(here, alice, ["bob", "carol"], true);
  street.isClosed = true;
  await there.device("bob");
  await here.tick();
  assert.deepEqual(told(alice), []);
  street.isClosed = false;
  await pass(here);
  assert.deepEqual(told(alice), ["bob+"]);
  street.isClosed = true;
  for (let ms = 0; ms < 5 * repairEveryMs; ms += 200) await here.tick();
  assert.deepEqual(told(alice), ["bob+", "bob-"]);
});
