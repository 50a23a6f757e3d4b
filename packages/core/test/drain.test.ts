import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBroker, MemoryStore } from "@hongyan/core/memory";
import { type Device, House } from "./house.ts";

async function crowd(house: House, count: number): Promise<Device[]> {
  const devices: Device[] = [];
  for (let n = 0; n < count; n++) devices.push(await house.device(`u${n}`, "phone", { sync: false }));
  return devices;
}

const among = (store = new MemoryStore()) =>
  new House({ connectsPerSecond: 100_000 }, store, undefined, new MemoryBroker());
const closed = (devices: readonly Device[]) => devices.filter(({ closedWith }) => closedWith !== undefined);

test("a drain sends so many percent away per second, each with another hint, and serves the others", async () => {
  const house = among();
  const devices = await crowd(house, 3000);
  let isDone = false;
  const done = house.node.drain(50).then(() => {
    isDone = true;
  });
  const counts: number[] = [];
  while (closed(devices).length < 3000) {
    const stays = devices.find(({ closedWith }) => closedWith === undefined) as Device;
    await stays.ask({ type: "ping" }, "ping.ok");
    await house.tick(100);
    counts.push(closed(devices).length);
    assert.equal(isDone, false);
  }
  assert.deepEqual(
    counts,
    Array.from({ length: 20 }, (_, n) => 150 * (n + 1)),
  );
  await house.tick(100);
  await done;
  const hints = devices.map(({ retryAfterMs = 0 }) => retryAfterMs);
  assert.ok(hints.every((ms) => ms >= 1 && ms <= 1000));
  assert.ok(new Set(hints).size >= 150, "spread");
  assert.ok(devices.every(({ closedWith }) => closedWith === "going_away"));
  await house.node.close();
});

test("who is served to the end sends and receives until the turn comes", async () => {
  const house = among();
  const devices = await crowd(house, 1000);
  const [alice, bob] = devices.slice(-2) as [Device, Device];
  await bob.ask({ type: "sync" }, "sync.ok");
  void house.node.drain(1);
  for (let n = 0; n < 5; n++) {
    await house.tick(100);
    await alice.say("u998:u999", `m${n}`);
  }
  await house.until(() => bob.heard.length === 5, "what was said meanwhile");
  assert.equal(closed(devices).length, 500);
});

test("G1 what was taken before the turn came is committed and answered before the goodbye", async () => {
  const store = new MemoryStore();
  const house = among(store);
  const devices = await crowd(house, 50);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await held;
    return commit(batch);
  };
  const send = (device: Device, n: number) =>
    device.post({
      type: "send",
      conversation: `u${n}:zoe`,
      clientMessageId: "x:1",
      body: new Uint8Array([n]),
    });
  devices.forEach(send);
  await house.settle();
  const done = house.node.drain(10);
  await house.tick(100);
  devices.forEach(send);
  await house.tick(100);
  assert.equal(closed(devices).length, 0, "nobody goes unanswered");
  release();
  await house.settle();
  await house.tick(100);
  await done;
  for (const device of devices) {
    const types = device.frames.map(({ type }) => type).slice(-2);
    assert.deepEqual(types, ["send.ok", "drain"]);
    assert.equal(device.of("send.ok").length, 1, "nothing more was taken");
    assert.equal(device.closedWith, "going_away");
  }
});

test("a store that fails meanwhile keeps nobody", async () => {
  const store = new MemoryStore();
  const house = among(store);
  const devices = await crowd(house, 50);
  store.commit = () => Promise.reject(new Error("away"));
  const done = house.node.drain(10);
  await house.tick(100);
  await house.tick(100);
  await done;
  assert.equal(closed(devices).length, 50);
});

test("nobody comes in any more, and who goes by themselves is not waited for", async () => {
  const house = among();
  const devices = await crowd(house, 300);
  const done = house.node.drain(1);
  const late = house.wire();
  assert.deepEqual([late.closedWith, late.retryAfterMs], ["going_away", 1000]);
  await house.tick(100);
  for (const device of devices) if (device.closedWith === undefined) device.inbound?.closed();
  await house.tick(100);
  await done;
  assert.equal(closed(devices).length, 100);
});

test("an empty node is drained at once, and a node alone spreads those who come back by what it lets in", async () => {
  const empty = among();
  const done = empty.node.drain(10);
  await empty.tick(100);
  await done;
  const alone = new House({ connectsPerSecond: 100 });
  const devices: Device[] = [];
  for (let n = 0; n < 300; n++) {
    if (n % 50 === 0) alone.nowMs += 1000;
    devices.push(await alone.device(`u${n}`, "phone", { sync: false }));
  }
  await alone.node.close();
  const hints = devices.map(({ retryAfterMs = 0 }) => retryAfterMs).sort((a, b) => a - b);
  assert.deepEqual([hints[0], hints[100], hints[299]], [1000, 2000, 3990]);
});
