import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage } from "../src/ports.ts";
import { MemoryStorage } from "../src/storage/memory-storage.ts";
import { FakeBrowser } from "./support/fake-tabs.ts";
import { type Person, World } from "./support/world.ts";

const pair = "alice:bob";

interface Tab extends Person {
  /** The tab is closed, in the middle of whatever it does. */
  close(): void;
}

/** Alice with a browser whose tabs share a storage. */
class Browser {
  readonly world = new World();
  readonly storage = new MemoryStorage();
  readonly #browser = new FakeBrowser();

  async open(): Promise<Tab> {
    const { ports, close } = this.#browser.tab();
    let isClosed = false;
    const never = new Promise<never>(() => undefined);
    // A closed tab writes nothing more.
    const storage: Storage = {
      load: () => (isClosed ? never : this.storage.load()),
      commit: (change) => (isClosed ? never : this.storage.commit(structuredClone(change))),
      messages: (...of) => (isClosed ? never : this.storage.messages(...of)),
      close: async () => undefined,
    };
    const person = this.world.person("alice", { storage, tabs: ports });
    await person.client.start();
    await this.world.clock.settle();
    return {
      ...person,
      close: () => {
        isClosed = true;
        this.world.crash(person);
        close();
      },
    };
  }
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `m${i + 1}`);
}

test("one tab leads and connects; the others show the same state, messages and conversations", async () => {
  const browser = new Browser();
  const { clock, server } = browser.world;
  const one = await browser.open();
  const two = await browser.open();
  await clock.until(() => two.client.state.status === "live", "both are live");
  assert.deepEqual([one.client.leader, two.client.leader], [true, false]);
  assert.equal(two.network.opened, 0);
  assert.equal(two.client.device, one.client.device);
  assert.equal(two.client.user, "alice");
  server.append(pair, "bob", "hello");
  await clock.until(() => two.seen.length === 1, "seen in both");
  assert.deepEqual(one.seen, two.seen);
  assert.deepEqual(one.client.conversations.snapshot, two.client.conversations.snapshot);
});

test("G2 what a tab that follows sends goes out once, and both see what becomes of it", async () => {
  const browser = new Browser();
  const { clock, server } = browser.world;
  const one = await browser.open();
  const two = await browser.open();
  const view = one.client.messages(pair);
  view.subscribe(() => undefined);
  const message = two.client.send(pair, "from the second tab");
  assert.equal((await two.client.stored(message)).seq, 1);
  await clock.until(() => one.seen.length === 1 && two.seen.length === 1, "seen in both");
  assert.deepEqual(server.texts(pair), ["from the second tab"]);
  assert.deepEqual(
    view.snapshot.messages.map(({ text, status, own }) => [text, status, own]),
    [["from the second tab", "stored", true]],
  );
  assert.equal((await browser.storage.load()).outbox.length, 0);
});

test("a tab that follows can ask the server, read, page back and set positions", async () => {
  const browser = new Browser();
  const { clock, server } = browser.world;
  for (const text of numbered(120)) server.append(pair, "bob", text);
  server.log(pair).read.set("alice", 100);
  await browser.open();
  const two = await browser.open();
  const view = two.client.messages(pair);
  view.subscribe(() => undefined);
  await clock.until(() => view.snapshot.messages.length >= 50, "paged");
  await view.loadOlder();
  assert.ok(view.snapshot.messages.length >= 100);
  assert.deepEqual(await two.client.users(["bob"]), [{ user: "bob", name: "BOB" }]);
  two.client.markRead(pair);
  await clock.until(() => server.log(pair).read.get("alice") === 120, "told");
  assert.equal(two.client.conversation(pair)?.unread, 0);
  server.refuse = (command) => (command.type === "create" ? { code: "forbidden" } : undefined);
  await assert.rejects(two.client.createGroup({ name: "x" }), { code: "forbidden" });
});

test("G2 G3 G4 when the tab that leads is closed, another goes on: nothing lost, nothing doubled", async () => {
  // The leading tab dies after each possible number of steps of the clock.
  for (let steps = 0; steps < 12; steps++) {
    const browser = new Browser();
    const { clock, server } = browser.world;
    const one = await browser.open();
    const two = await browser.open();
    const three = await browser.open();
    await clock.until(() => three.client.state.status === "live", "live");
    for (let i = 1; i <= 5; i++) {
      two.client.send(pair, `two ${i}`);
      one.client.send(pair, `one ${i}`);
      server.append("alice:zoe", "zoe", `zoe ${i}`);
    }
    for (let step = 0; step < steps; step++) await Promise.resolve();
    // What the leading tab itself was still writing may be lost with it, but not a part from the middle.
    one.close();
    await clock.until(() => two.client.leader && two.client.state.status === "live", "another leads");
    await clock.until(() => two.sent.length >= 5, "sent");
    server.append("alice:zoe", "zoe", "zoe 6");
    await clock.until(
      () => two.texts("alice:zoe").length === 6 && three.texts("alice:zoe").length === 6,
      "received",
    );
    await clock.advance(10_000);
    const stored = server.texts(pair);
    assert.equal(new Set(stored).size, stored.length, `doubled after ${steps} steps`);
    for (const who of ["one", "two"]) {
      const own = stored.filter((text) => text.startsWith(who));
      assert.deepEqual(
        own,
        own.map((_, i) => `${who} ${i + 1}`),
      );
      if (who === "two") assert.equal(own.length, 5, `lost after ${steps} steps`);
    }
    for (const tab of [two, three]) {
      assert.deepEqual(tab.texts(pair), stored, `after ${steps} steps`);
      assert.deepEqual(
        tab.texts("alice:zoe"),
        Array.from({ length: 6 }, (_, i) => `zoe ${i + 1}`),
      );
    }
    assert.equal((await browser.storage.load()).outbox.length, 0);
  }
});

test("calls that the closed tab had not answered are answered by its successor", async () => {
  const browser = new Browser();
  const { clock, server } = browser.world;
  const one = await browser.open();
  const two = await browser.open();
  const three = await browser.open();
  one.network.rule = (frame) => (frame.type === "users" ? 0 : 1);
  const answers = [two, three].map((tab) => tab.client.users(["bob"]));
  server.append(pair, "bob", "hello");
  await clock.until(() => three.seen.length === 1, "seen");
  one.network.rule = (frame) => (frame.type === "read" || frame.type === "users" ? 0 : 1);
  three.client.markRead(pair);
  await clock.settle();
  one.close();
  await clock.until(() => two.client.state.status === "live", "another leads");
  assert.deepEqual(await Promise.all(answers), [
    [{ user: "bob", name: "BOB" }],
    [{ user: "bob", name: "BOB" }],
  ]);
  await clock.until(() => server.log(pair).read.get("alice") === 1, "read is told");
});

test("a leading tab that stops in order hands over at once", async () => {
  const browser = new Browser();
  const one = await browser.open();
  const two = await browser.open();
  const states: string[] = [];
  two.client.on("state", ({ status }) => states.push(status));
  await one.client.stop();
  await browser.world.clock.until(
    () => two.client.leader && two.client.state.status === "live",
    "another leads",
  );
  assert.ok(!states.includes("stopped"), states.join());
  const again = two.client.send(pair, "still here");
  await two.client.stored(again);
});

test("a failed message is failed in all tabs, and any of them can send it again or forget it", async () => {
  const browser = new Browser();
  const { clock, server } = browser.world;
  const one = await browser.open();
  const two = await browser.open();
  server.refuse = (command) => (command.type === "send" ? { code: "forbidden" } : undefined);
  const first = two.client.send(pair, "first");
  const second = two.client.send(pair, "second");
  await clock.until(() => one.failed.length === 2 && two.failed.length === 2, "failed");
  server.refuse = undefined;
  two.client.retry(first);
  one.client.discard(second);
  await clock.until(() => server.texts(pair).length === 1, "sent again");
  await clock.advance(1_000);
  assert.deepEqual(server.texts(pair), ["first"]);
  assert.equal((await browser.storage.load()).outbox.length, 0);
  for (const tab of [one, two]) {
    const view = tab.client.messages(pair);
    await view.toLatest();
    assert.deepEqual(
      view.snapshot.messages.map(({ text }) => text),
      ["first"],
    );
  }
});
