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
  for (let n = 0; n < 4; n++) await house.tick(100);
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
  assert.deepEqual(told(alice), ["bob+"], "who comes and goes is not news each time");
  await house.tick(1000);
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
  await house.tick(1000);
  alice.bufferedBytes = 0;
  await house.tick();
  assert.deepEqual(told(alice), ["bob-"]);
});

test("a session that is resumed is told of all whom it watches: the last news may have gone into the old connection", async () => {
  const house = new House();
  const alice = await house.device("alice");
  await ask(house, alice, ["bob"], true);
  await house.device("bob");
  await house.tick();
  const [welcome] = alice.of("connect.ok");
  const back = await house.device("alice", "phone", { resume: welcome?.session, sync: false });
  assert.equal(back.of("connect.ok")[0]?.resumed, true);
  await house.tick();
  assert.deepEqual(told(back), ["bob+"]);
});

test("G8 a session that ends while it asks watches nobody", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const users = ["bob"];
  alice.post({ type: "presence", users, watch: true });
  alice.post({ type: "disconnect" });
  await house.settle();
  await house.device("bob");
  await house.tick();
  assert.deepEqual(told(alice), []);
  assert.equal(house.node.statistics.watchedUsers, 0);
});

test("who comes and goes within a second is not told of each time", async () => {
  const house = new House();
  const alice = await house.device("alice");
  await ask(house, alice, ["bob"], true);
  const bob = await house.device("bob");
  bob.post({ type: "disconnect" });
  await house.tick();
  assert.deepEqual(told(alice), []);
  for (let n = 0; n < 4; n++) {
    const again = await house.device("bob");
    await house.tick();
    again.post({ type: "disconnect" });
    await house.tick();
  }
  assert.deepEqual(told(alice), ["bob+"]);
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
  await here.tick(1000);
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
  for (let ms = 0; ms < 1.9 * repairEveryMs; ms += 200) await here.tick();
  assert.deepEqual(told(alice), ["bob+"], "one round may be lost");
  for (let ms = 0; ms < 2.1 * repairEveryMs + 1000; ms += 200) await here.tick();
  assert.deepEqual(told(alice), ["bob+", "bob-"]);
});

test("a clock that jumps, or a process that stood still, makes nobody disappear", async () => {
  const { here, there } = neighbours();
  const alice = await here.device("alice");
  await there.device("bob");
  await ask(here, alice, ["bob"], true);
  for (const jumpMs of [3_600_000, -7_200_000, 60_000]) {
    here.nowMs += jumpMs;
    await pass(here);
  }
  assert.deepEqual(
    told(alice).filter((one) => one !== "bob+"),
    [],
  );
});

test("a process that stood still hears who has answered meanwhile, before it says who is there", async () => {
  const { here, there } = neighbours();
  const alice = await here.device("alice");
  await there.device("bob");
  const answer = alice.ask({ type: "presence", users: ["bob", "nobody"] }, "presence.ok");
  const asked = here.node.backend("d").online(["bob", "nobody"]);
  for (let n = 0; n < 10; n++) await Promise.resolve();
  // What other nodes say waits in a socket; the tick comes first.
  here.nowMs += 30_000;
  here.node.tick();
  for (let n = 0; n < 4; n++) await here.tick(100);
  assert.deepEqual([(await answer).count, await asked], [1, ["bob"]]);
});

test("what was missed for certain is asked for at once", async () => {
  const { street, here, there } = neighbours();
  const alice = await here.device("alice");
  await ask(here, alice, ["bob"], true);
  street.isClosed = true;
  await there.device("bob");
  street.isClosed = false;
  here.node.missed();
  await here.tick();
  await here.tick();
  assert.deepEqual(told(alice), ["bob+"]);
});

test("a broker that loses again and again leaves no ghosts, and keeps nobody from being asked for", async () => {
  const { street, here, there } = neighbours();
  const watchers = await Promise.all(Array.from({ length: 6 }, (_, n) => here.device(`w${n}`)));
  const [first, last] = [watchers[0], watchers.at(-1)] as [Device, Device];
  await ask(here, first, ["bob"], true);
  for (const [w, watcher] of watchers.entries())
    await ask(
      here,
      watcher,
      Array.from({ length: 190 }, (_, n) => `u${w}x${n}`),
      true,
    );
  await ask(here, last, ["carol"], true);
  const lose = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 200) {
      here.node.missed();
      await here.tick();
    }
  };
  street.isClosed = true;
  await there.device("carol");
  street.isClosed = false;
  await there.device("bob");
  await lose(2 * repairEveryMs);
  assert.deepEqual(told(last), ["carol+"], "the last of more than one tick asks for");
  street.isClosed = true;
  await lose(4 * repairEveryMs + 2000);
  assert.deepEqual(
    [told(first), told(last)],
    [
      ["bob+", "bob-"],
      ["carol+", "carol-"],
    ],
  );
});

test("what was overtaken on the way is not believed", async () => {
  const { street, here, there } = neighbours({ sessionGraceMs: 0 });
  const alice = await here.device("alice");
  await ask(here, alice, ["bob"], true);
  const bob = await there.device("bob");
  await here.tick();
  const [online] = street.carried.filter(({ kind }) => kind === "online").slice(-1);
  bob.post({ type: "disconnect" });
  await there.settle();
  await here.tick();
  await here.tick(1000);
  assert.ok(online?.kind === "online" && online.online);
  street.carry(["d/bob/presence"], online);
  await here.tick();
  await here.tick(1000);
  assert.deepEqual(told(alice).slice(-1), ["bob-"]);
});

test("waiting for other nodes keeps nobody from reading", async () => {
  const { here } = neighbours();
  const crowd = await Promise.all(Array.from({ length: 40 }, (_, n) => here.device(`u${n}`)));
  for (const device of crowd) device.post({ type: "presence", users: ["nobody"] });
  const reader = await here.device("reader");
  await reader.ask({ type: "list" }, "list.ok");
  assert.equal(crowd.filter((device) => device.of("presence.ok").length > 0).length, 0, "they still wait");
});
