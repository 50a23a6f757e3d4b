import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import { FakeRandom } from "./support/fake-clock.ts";
import { World } from "./support/world.ts";

const pair = "alice:bob";

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `m${i + 1}`);
}

test("G2 G3 a thousand messages over a network that loses every fifth frame: each once, in order", async () => {
  const world = new World();
  const alice = await world.live("alice");
  const random = new FakeRandom(7);
  alice.network.rule = () => (random.next() < 0.2 ? 0 : 1);
  for (const text of numbered(1000)) alice.client.send(pair, text);
  await world.clock.until(() => alice.sent.length === 1000, "all stored", 3_600_000);
  assert.deepEqual(world.server.texts(pair), numbered(1000));
  await world.clock.until(() => alice.seen.length === 1000, "all in the log", 3_600_000);
  assert.deepEqual(alice.texts(pair), numbered(1000));
});

test("G3 messages are chained: one that overtakes a lost one is refused, and all go again from the earliest", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.network.dropNext("send");
  for (const text of numbered(10)) alice.client.send(pair, text);
  await world.clock.settle();
  assert.deepEqual(world.server.texts(pair), numbered(10));
  const sends = alice.network.up.filter(({ type }) => type === "send");
  assert.equal(sends.length, 20, "one more round, not one per refusal");
});

test("the first resend comes after 3 to 5 s, later ones take twice as long, at most 60 s", async () => {
  const world = new World();
  const alice = await world.live("alice");
  const times: number[] = [];
  alice.network.rule = (frame, direction) => {
    if (frame.type !== "send" || direction !== "up") return 1;
    times.push(world.clock.now());
    return 0;
  };
  alice.client.send(pair, "hello");
  await world.clock.advance(400_000);
  const waits = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  assert.ok(waits.length >= 8);
  waits.forEach((wait, at) => {
    const [min, max] = [3_000, 5_000].map((ms) => Math.min(60_000, ms * 2 ** at)) as [number, number];
    assert.ok(wait >= min && wait <= max, `wait ${at + 1} was ${wait} ms`);
  });
});

test("at most 256 messages of a conversation are in flight; the others wait", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.network.rule = (frame, direction) => (frame.type === "send" && direction === "up" ? 0 : 1);
  for (const text of numbered(600)) alice.client.send(pair, text);
  await world.clock.settle();
  assert.equal(alice.network.up.filter(({ type }) => type === "send").length, 256);
});

test("bytes in flight are bounded over all conversations, and all of it arrives", async () => {
  const world = new World();
  const alice = await world.live("alice", { settings: { inFlightBytesMax: 10_000 } });
  alice.network.rule = (frame, direction) => (frame.type === "send" && direction === "up" ? "hold" : 1);
  for (let i = 0; i < 30; i++) alice.client.send(`alice:u${i}`, "x".repeat(1_000));
  await world.clock.settle();
  assert.equal(alice.network.up.filter(({ type }) => type === "send").length, 10);
  alice.network.rule = () => 1;
  alice.network.release();
  await world.clock.until(() => alice.sent.length === 30, "all stored");
});

test("a message that is refused for good fails, and the next follows the one before it", async () => {
  const world = new World();
  const alice = await world.live("alice");
  world.server.refuse = (command) =>
    command.type === "send" && new TextDecoder().decode(command.body) === "m3"
      ? { code: "too_large" }
      : undefined;
  const messages = numbered(6).map((text) => alice.client.send(pair, text));
  const rejected = assert.rejects(alice.client.stored(messages[2] as (typeof messages)[0]), {
    code: "too_large",
  });
  await world.clock.until(() => alice.sent.length === 5, "the others are stored");
  await rejected;
  assert.deepEqual(world.server.texts(pair), ["m1", "m2", "m4", "m5", "m6"]);
  assert.deepEqual(
    alice.failed.map(({ failure }) => failure?.code),
    ["too_large"],
  );
  const chain = alice.network.up.filter((frame) => frame.type === "send").at(-3);
  assert.equal(chain?.type === "send" && chain.after, messages[1]?.clientMessageId, "m4 follows m2");
  const shown = alice.client.messages(pair);
  await shown.toLatest();
  assert.deepEqual(
    shown.snapshot.messages.map(({ text, status }) => [text, status]),
    [
      ["m1", "stored"],
      ["m2", "stored"],
      ["m3", "failed"],
      ["m4", "stored"],
      ["m5", "stored"],
      ["m6", "stored"],
    ],
  );
  world.server.refuse = undefined;
  alice.client.retry(messages[2] as (typeof messages)[0]);
  await world.clock.until(() => alice.sent.length === 6, "sent again");
  assert.deepEqual(
    shown.snapshot.messages.map(({ text }) => text),
    ["m1", "m2", "m4", "m5", "m6", "m3"],
  );
});

test("a refusal for now is honoured: nothing is sent before retryAfterMs, then all in order", async () => {
  const world = new World();
  const alice = await world.live("alice");
  world.server.refuse = (command) =>
    command.type === "send" ? { code: "rate_limited", retryAfterMs: 20_000 } : undefined;
  for (const text of numbered(5)) alice.client.send(pair, text);
  await world.clock.settle();
  const sends = (): number => alice.network.up.filter(({ type }) => type === "send").length;
  const before = sends();
  world.server.refuse = undefined;
  await world.clock.advance(19_000);
  assert.equal(sends(), before);
  await world.clock.until(() => alice.sent.length === 5, "all stored");
  assert.deepEqual(world.server.texts(pair), numbered(5));
});

test("the earliest message does without `after` where the server has forgotten the one before", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.client.send(pair, "old");
  await world.clock.until(() => alice.sent.length === 1, "stored");
  world.server.log(pair).entries.splice(0, 1, {
    seq: 1,
    from: "bob",
    time: 1,
    clientMessageId: "x",
    messageType: undefined,
    body: new Uint8Array(0),
  });
  alice.client.send(pair, "new");
  alice.client.send(pair, "newer");
  await world.clock.until(() => alice.sent.length === 3, "stored");
  assert.deepEqual(world.server.texts(pair).slice(1), ["new", "newer"]);
});

test("G1 G2 what was queued survives a crash, and numbers are not used twice", async () => {
  const world = new World();
  const storage = new MemoryStorage();
  const first = await world.live("alice", { storage, device: "phone" });
  first.network.rule = (frame) => (frame.type === "send.ok" ? 0 : 1);
  for (const text of numbered(3)) first.client.send(pair, text);
  await world.clock.settle();
  world.crash(first);
  const second = await world.live("alice", { storage, device: "phone" });
  const fourth = second.client.send(pair, "m4");
  assert.equal(fourth.clientMessageId.split(":")[1], "4");
  await world.clock.until(() => second.sent.length === 4, "all stored");
  assert.deepEqual(world.server.texts(pair), numbered(4));
  assert.deepEqual(second.texts(pair), numbered(4));
});

test("offline messages are shown as queued, top the list, and leave when the network is back", async () => {
  const world = new World();
  const alice = await world.live("alice");
  world.server.append("alice:zoe", "zoe", "newest");
  await world.clock.until(() => alice.seen.length === 1, "seen");
  alice.network.isDown = true;
  alice.network.cut();
  alice.client.send(pair, "later");
  assert.equal(alice.client.conversations.snapshot[0]?.conversation, pair);
  assert.equal(alice.client.conversations.snapshot[0]?.last?.status, "queued");
  await world.clock.advance(60_000);
  alice.network.isDown = false;
  await world.clock.until(() => alice.sent.length === 1, "stored");
  assert.deepEqual(world.server.texts(pair), ["later"]);
});

test("wrong arguments are refused at once", async () => {
  const world = new World();
  const alice = world.person("alice");
  assert.throws(() => alice.client.send(pair, "too early"), { code: "unavailable" });
  await alice.client.start();
  assert.throws(() => alice.client.send("not/an/id", "x"), { code: "bad_request" });
  assert.throws(() => alice.client.send(pair, "x", { messageType: "a\nb" }), { code: "bad_request" });
  assert.throws(() => alice.client.send(pair, "x", { messageType: "hongyan.created" }), {
    code: "bad_request",
  });
  assert.throws(() => alice.client.send(pair, new Uint8Array(1024 * 1024 + 1)), { code: "too_large" });
});
