import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage, StorageChange } from "../src/ports.ts";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import { World } from "./support/world.ts";

const pair = "alice:bob";

/** A storage that stops working after some commits: the program dies at that moment. */
class DyingStorage implements Storage {
  readonly inner: MemoryStorage;
  readonly #applyLast: boolean;
  readonly #died: () => void;
  #left: number;

  constructor(inner: MemoryStorage, commits: number, applyLast: boolean, died: () => void) {
    this.inner = inner;
    this.#left = commits;
    this.#applyLast = applyLast;
    this.#died = died;
  }

  load = () => this.inner.load();
  messages: Storage["messages"] = (...of) => this.inner.messages(...of);
  close = () => this.inner.close();

  commit(change: StorageChange): Promise<void> {
    if (this.#left-- > 0) return this.inner.commit(change);
    const isLast = this.#left === -1;
    if (isLast && this.#applyLast) this.inner.apply(change);
    if (isLast) this.#died();
    return new Promise(() => undefined);
  }
}

/*
 * Bob's program dies at its n-th commit, once before it took effect and once after it, for every n; then a new
 * one goes on with what is in the storage. Alice's likewise.
 */
for (const applyLast of [false, true]) {
  test(`G4 G5 a receiver that dies ${applyLast ? "after" : "before"} any of its commits loses nothing and doubles nothing`, async () => {
    for (let commits = 0; commits < 14; commits++) {
      const world = new World();
      const memory = new MemoryStorage();
      const dying: DyingStorage = new DyingStorage(memory, commits, applyLast, () => world.crash(bob));
      const bob = world.person("bob", { storage: dying, device: "phone" });
      void bob.client.start();
      for (let i = 1; i <= 4; i++) {
        world.server.append(pair, "alice", `m${i}`);
        await world.clock.advance(700);
      }
      // G5: what the server was told is in the storage.
      const position = (await memory.load()).conversations[0]?.position ?? 0;
      assert.ok(
        world.server.deliveredOf(pair, "bob") <= position,
        `told more than is kept, commit ${commits}`,
      );
      world.crash(bob);
      const kept = (await memory.messages(pair, { after: 0 }, 100)).map(({ seq }) => seq);
      const again = await world.live("bob", { storage: memory, device: "phone" });
      await world.clock.until(() => world.server.deliveredOf(pair, "bob") === 4, "acknowledged");
      // The cache holds each entry once, and what was in it is not handed over again.
      assert.deepEqual(
        (await memory.messages(pair, { after: 0 }, 100)).map(({ seq }) => seq),
        [1, 2, 3, 4],
      );
      assert.deepEqual([...kept, ...again.seen.map(({ seq }) => seq)], [1, 2, 3, 4], `commit ${commits}`);
    }
  });

  test(`G2 G3 a sender that dies ${applyLast ? "after" : "before"} any of its commits stores each message once, in order`, async () => {
    for (let commits = 1; commits < 14; commits++) {
      const world = new World();
      const memory = new MemoryStorage();
      const dying: DyingStorage = new DyingStorage(memory, commits, applyLast, () => world.crash(alice));
      const alice = world.person("alice", { storage: dying, device: "phone" });
      await alice.client.start();
      for (let i = 1; i <= 5; i++) {
        alice.client.send(pair, `m${i}`);
        await world.clock.advance(200);
      }
      world.crash(alice);
      const queued = (await memory.load()).outbox.map(({ clientMessageId }) => clientMessageId);
      const stored = world.server.log(pair).entries.map(({ clientMessageId }) => clientMessageId);
      const again = await world.live("alice", { storage: memory, device: "phone" });
      const last = again.client.send(pair, "last");
      await world.clock.until(
        () => again.sent.some(({ clientMessageId }) => clientMessageId === last.clientMessageId),
        "stored",
      );
      const expected = [...new Set([...stored, ...queued, last.clientMessageId])];
      assert.deepEqual(
        world.server.log(pair).entries.map(({ clientMessageId }) => clientMessageId),
        expected,
        `commit ${commits}`,
      );
      assert.equal((await memory.load()).outbox.length, 0);
    }
  });
}

test("a storage that fails for a while delays, and loses nothing", async () => {
  const world = new World();
  const memory = new MemoryStorage();
  let isFull = false;
  const storage: Storage = {
    load: () => memory.load(),
    messages: (...of) => memory.messages(...of),
    close: () => memory.close(),
    commit: (change) => (isFull ? Promise.reject(new Error("the disk is full")) : memory.commit(change)),
  };
  const bob = await world.live("bob", { storage });
  isFull = true;
  world.server.append(pair, "alice", "hello");
  bob.client.send(pair, "hi");
  await world.clock.advance(5_000);
  assert.equal(world.server.deliveredOf(pair, "bob"), 0, "G5 not acknowledged before it is kept");
  assert.equal(world.server.texts(pair).length, 1, "G2 not sent before it is kept");
  assert.match(bob.errors[0]?.message ?? "", /disk is full/);
  isFull = false;
  await world.clock.until(() => world.server.deliveredOf(pair, "bob") === 2, "acknowledged");
  assert.deepEqual(bob.texts(pair), ["hello", "hi"]);
});

test("G2 a message leaves only when it is on disk, also behind one that was sent", async () => {
  const world = new World();
  const memory = new MemoryStorage();
  let isStuck = false;
  const storage: Storage = {
    load: () => memory.load(),
    messages: (...of) => memory.messages(...of),
    close: () => memory.close(),
    commit: (change) => (isStuck ? new Promise(() => undefined) : memory.commit(change)),
  };
  const alice = await world.live("alice", { storage });
  alice.network.rule = (frame) => (frame.type === "send.ok" ? "hold" : 1);
  alice.client.send(pair, "first");
  await world.clock.settle();
  isStuck = true;
  alice.client.send(pair, "second");
  alice.network.release();
  await world.clock.advance(30_000);
  assert.deepEqual(world.server.texts(pair), ["first"]);
});
