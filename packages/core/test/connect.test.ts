import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@hongyan/core/memory";
import { House } from "./house.ts";

const connect = { type: "connect", version: 1, token: "d/alice", device: "phone" } as const;

test("nothing is answered before connect, and only a good token opens", async () => {
  const house = new House();
  const early = house.wire();
  assert.equal(await early.refused({ type: "list" }), "unauthorized");
  assert.equal(early.closedWith, "unauthorized");
  const forged = house.wire();
  assert.equal(await forged.refused({ ...connect, token: "nonsense" }), "unauthorized");
  assert.equal(forged.closedWith, "unauthorized");
  const future = house.wire();
  assert.equal(await future.refused({ ...connect, version: 99 }), "version_unsupported");
  assert.equal(future.closedWith, "version_unsupported");
  const odd = house.wire();
  assert.equal(await odd.refused({ ...connect, device: "a/b" }), "bad_request");
});

test("commands that arrive while the token is verified wait in order", async () => {
  const house = new House();
  const bob = await house.device("bob");
  const alice = house.wire();
  alice.post(connect);
  for (const n of [1, 2, 3])
    alice.post({
      type: "send",
      conversation: "alice:bob",
      clientMessageId: `x:${n}`,
      body: new TextEncoder().encode(`${n}`),
    });
  await house.until(() => bob.heard.length === 3, "three messages");
  assert.deepEqual(bob.heard, ["1", "2", "3"]);
  assert.equal(alice.frames[0]?.type, "connect.ok");
});

test("the connection that asked last keeps the device, in whichever order the tokens are verified", async () => {
  const verified = new Map<string, () => void>();
  const house = new House({}, undefined, (token) => new Promise((resolve) => verified.set(token, resolve)));
  const [older, newer] = [house.wire(), house.wire()];
  older.post({ ...connect, token: "d/alice/9000000000000" });
  newer.post({ ...connect, token: "d/alice/9000000000001" });
  await house.until(() => verified.size === 2, "both are being verified");
  verified.get("d/alice/9000000000001")?.();
  await house.until(() => newer.of("connect.ok").length === 1, "the newer one is let in");
  verified.get("d/alice/9000000000000")?.();
  await house.until(() => older.closedWith !== undefined, "the older one is sent away");
  assert.deepEqual([older.closedWith, newer.closedWith], ["replaced", undefined]);
  assert.deepEqual(older.of("connect.ok"), []);
});

test("silence, expiry and a missing connect end a connection with their own codes", async () => {
  const house = new House({ heartbeatMs: 1000, connectTimeoutMs: 500 });
  const mute = house.wire();
  await house.tick(501);
  assert.equal(mute.closedWith, "connect_timeout");
  const alice = await house.device("alice");
  await house.tick(2400);
  await alice.ask({ type: "ping" }, "ping.ok");
  await house.tick(2400);
  assert.equal(alice.closedWith, undefined);
  await house.tick(200);
  assert.equal(alice.closedWith, "heartbeat_timeout");
  const brief = house.wire();
  await brief.ask({ ...connect, token: `d/alice/${house.nowMs + 1000}` }, "connect.ok");
  await house.tick(1001);
  assert.equal(brief.closedWith, "token_expired");
});

test("a clock that jumps back or forth loses no session that still talks", async () => {
  const house = new House();
  const alice = await house.device("alice");
  await house.tick(-3_600_000);
  await house.tick(100);
  assert.equal(alice.closedWith, undefined);
  assert.equal((await alice.say("alice:bob", "hi")).seq, 1);
});

test("G9 everyone reconnects at once: admission spreads the load and says when to come back", async () => {
  const house = new House({ connectsPerSecond: 100 });
  const wires = Array.from({ length: 300 }, () => house.wire());
  wires.forEach((wire, n) => {
    wire.post({ ...connect, token: `d/u${n}` });
  });
  await house.until(() => wires.every((wire) => wire.frames.length > 0), "an answer for everybody");
  const refused = wires.flatMap((wire) => wire.of("error"));
  assert.equal(refused.length, 200);
  assert.ok(refused.every(({ name }) => name === "overloaded"));
  const delays = refused.map(({ retryAfterMs }) => retryAfterMs ?? 0);
  assert.ok(
    Math.max(...delays) >= 2000 && Math.min(...delays) < 100,
    "each has a place of its own in the queue",
  );
});

test("G9 everyone comes back at once: those who stayed are answered between the handshakes", async () => {
  const house = new House({ connectsPerSecond: 10_000 });
  const stayed = await house.device("stayed");
  const wires = Array.from({ length: 2000 }, () => house.wire());
  wires.forEach((wire, n) => {
    wire.post({ ...connect, token: `d/u${n}` });
  });
  await stayed.say("stayed:zoe", "still here");
  const back = wires.filter((wire) => wire.of("connect.ok").length > 0).length;
  assert.ok(back > 0 && back < 1000, `${back} of 2000 handshakes came before one message`);
  await house.until(() => wires.every((wire) => wire.of("connect.ok").length > 0), "everybody");
});

test("unknown commands are answered, replies and unknown pushes ignored, id 0 refused", async () => {
  const house = new House();
  const alice = await house.device("alice");
  alice.inbound?.receive({ type: "unknown", id: 7, wireType: 60 });
  assert.deepEqual([alice.of("error").at(-1)?.name, alice.of("error").at(-1)?.id], ["unknown_command", 7]);
  const count = alice.frames.length;
  alice.inbound?.receive({ type: "unknown", id: 0, wireType: 200 });
  alice.inbound?.receive({ type: "ping.ok", id: 1, time: 1, receipts: 1 });
  assert.equal(alice.frames.length, count);
  alice.inbound?.receive({ type: "ping", id: 0 });
  assert.equal(alice.of("error").at(-1)?.name, "bad_request");
});

test("a kicked user is sent away on every device, a closing node sends everybody away", async () => {
  const house = new House();
  const phone = await house.device("alice", "phone");
  const laptop = await house.device("alice", "laptop");
  await house.node.backend("d").kick("alice", "phone");
  assert.deepEqual([phone.closedWith, laptop.closedWith], ["kicked", undefined]);
  await house.node.close();
  assert.equal(laptop.closedWith, "going_away");
  assert.equal(laptop.of("drain").length, 1);
});

test("G9 a node closes while clients and backends go on sending: what it took is answered, the rest it does not take", async () => {
  const store = new MemoryStore();
  const house = new House({}, store);
  const alice = await house.device("alice");
  const backend = house.node.backend("d");
  let sent = 0;
  const stored: Promise<unknown>[] = [];
  const sendOne = () => {
    const clientMessageId = `x:${++sent}`;
    const body = new Uint8Array([1]);
    alice.post({ type: "send", conversation: "alice:bob", clientMessageId, body });
    stored.push(backend.send({ conversation: "alice:bob", from: "bob", clientMessageId, body }));
  };
  // Every commit finds something gathered behind it, for as long as anybody looks.
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (sent < 1000) sendOne();
    return commit(batch);
  };
  await alice.say("alice:bob", "first", "y:1");
  sendOne();
  await house.until(() => sent > 5, "a few commits");
  const takenBefore = sent;
  await house.node.close();
  assert.ok(sent < 100, `${sent} sends later it is closed`);
  assert.equal(alice.closedWith, "going_away");
  assert.deepEqual(alice.frames.slice(-1)[0]?.type, "drain");
  assert.equal(alice.of("send.ok").length, takenBefore + 1);
  const outcomes = await Promise.allSettled(stored);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, takenBefore);
  for (const outcome of outcomes.slice(takenBefore)) {
    assert.equal(outcome.status === "rejected" && outcome.reason.code, "overloaded");
  }
  assert.deepEqual(await store.heads(["d/conversation/alice:bob"]), [2 * takenBefore + 1]);
});
