import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@hongyan/core/memory";
import type { FrameNamed } from "@hongyan/protocol";
import type { CursorId, PageLimit, Settings } from "../src/index.ts";
import { type Device, House } from "./house.ts";
import { Street } from "./street.ts";

/** Counts how often all conversations of a user are looked at, and lets a test hold or fail reads. */
class WatchedStore extends MemoryStore {
  looks = 0;
  /** Rejects the next read of several positions. */
  failure: Error | undefined;
  listing: () => Promise<void> = async () => undefined;
  reading: (log: string) => Promise<void> = async () => undefined;

  override async list(prefix: string, after: string, count: number) {
    const isLook = prefix.includes("/membership/");
    if (isLook && after === "") this.looks++;
    if (isLook) await this.listing();
    return super.list(prefix, after, count);
  }

  override async positions(of: readonly CursorId[]) {
    const { failure } = this;
    if (failure === undefined || of.length === 1) return super.positions(of);
    this.failure = undefined;
    throw failure;
  }

  override async read(log: string, after: number, limit: PageLimit) {
    await this.reading(log);
    return super.read(log, after, limit);
  }
}

type Positions = (readonly [string, number])[];

/** Reads pages as a client does: the request for one acknowledges the one before. */
class Reader {
  readonly device: Device;
  /** Everything that came as an item, as `conversation#seq`. */
  readonly items: string[] = [];
  #positions: Positions = [];

  constructor(device: Device) {
    this.device = device;
  }

  /** Of the last page, the highest seq of each conversation. */
  get positions(): Positions {
    return this.#positions;
  }

  async page(limit = 10, positions: Positions | undefined = this.#positions) {
    const id = this.device.post({ type: "sync", limit, positions });
    return this.answer(id);
  }

  async answer(id: number): Promise<{ more: boolean; items: string[] }> {
    const { device } = this;
    for (let turn = 0; turn < 2000 && !device.of("sync.ok").some((reply) => reply.id === id); turn++)
      await new Promise((resolve) => setImmediate(resolve));
    const reply = device.of("sync.ok").find((frame) => frame.id === id);
    assert.ok(reply, `an answer instead of ${JSON.stringify(device.frames.at(-1))}`);
    const messages = device.of("message").filter((frame) => frame.id === id);
    assert.equal(reply.count, messages.length);
    this.#positions = [...new Map(messages.map(({ conversation, seq }) => [conversation, seq]))];
    const items = messages.map(nameOf);
    this.items.push(...items);
    return { more: reply.more, items };
  }

  /** Page after page, until nothing is left. */
  async rest(limit = 10): Promise<number> {
    for (let pages = 1; pages < 1000; pages++) if (!(await this.page(limit)).more) return pages;
    assert.fail("no end");
  }
}

function nameOf({ conversation, seq }: FrameNamed<"message">): string {
  return `${conversation}#${seq}`;
}

function range(conversation: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, n) => `${conversation}#${from + n}`);
}

/** What bob has from users `a0`, `a1`, ...: so many messages of each. */
async function filled(house: House, senders: number, each: number): Promise<string[]> {
  for (let sender = 0; sender < senders; sender++)
    for (let n = 1; n <= each; n++) await write(house, `a${sender}:bob`, `a${sender}`, `x:${n}`);
  return Array.from({ length: senders }, (_, sender) => range(`a${sender}:bob`, 1, each)).flat();
}

function write(house: House, conversation: string, from: string, clientMessageId: string) {
  return house.node.backend("d").send({ conversation, from, clientMessageId, body: new Uint8Array(1) });
}

async function bobReads(house: House, device = "phone"): Promise<Reader> {
  return new Reader(await house.device("bob", device, { sync: false }));
}

async function scene(senders: number, each: number, changes: Partial<Settings> = {}) {
  const store = new WatchedStore();
  // No list of conversations is remembered, so that each look is seen.
  const house = new House({ residentConversationsMax: 1, ...changes }, store);
  const all = await filled(house, senders, each);
  const reader = await bobReads(house);
  store.looks = 0;
  return { store, house, all, reader };
}

test("G4 pages bring everything once, by one look at all conversations", async () => {
  const { store, reader, all } = await scene(10, 7);
  assert.equal(await reader.rest(), 7);
  assert.deepEqual(reader.items, all);
  assert.equal(store.looks, 1);
  assert.deepEqual(await reader.page(), { more: false, items: [] });
  assert.equal(store.looks, 1, "the acknowledgement of the last page is no reason to look again");
  assert.deepEqual(await reader.page(), { more: false, items: [] });
  assert.equal(store.looks, 2, "what was forgotten is looked for");
});

test("G8 pages whose acknowledgement is being committed keep no others from being made", async () => {
  const store = new WatchedStore();
  const commit = store.commit.bind(store);
  let held: Promise<void> = Promise.resolve();
  store.commit = async (batch) => {
    await held;
    return commit(batch);
  };
  const house = new House({}, store);
  await write(house, "alice:bob", "alice", "x:1");
  const readers = await Promise.all(Array.from({ length: 40 }, (_, n) => bobReads(house, `d${n}`)));
  for (const reader of readers) assert.deepEqual((await reader.page()).items, ["alice:bob#1"]);
  const alice = new Reader(await house.device("alice", "phone", { sync: false }));
  await alice.page();
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  const acknowledging = readers.map(({ device, positions }) => device.post({ type: "sync", positions }));
  await house.settle();
  await alice.page(10, []);
  resolve();
  for (const [n, reader] of readers.entries())
    assert.deepEqual(await reader.answer(acknowledging[n] as number), { more: false, items: [] });
});

test("G8 whoever has had a page waits for the next one with those who have had one, and keeps nobody from beginning", async () => {
  const { store, house, reader } = await scene(3, 10);
  assert.equal((await reader.page(10)).more, true);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.listing = () => promise;
  const order: string[] = [];
  const watched = (device: Device, name: string): void => {
    const write = device.write.bind(device);
    device.write = (frame) => {
      if (frame.frame.type === "sync.ok") order.push(name);
      write(frame);
    };
  };
  const beginners = await Promise.all(
    Array.from({ length: 60 }, (_, n) => house.device(`u${n}`, "phone", { sync: false })),
  );
  beginners.forEach((device, n) => {
    watched(device, `u${n}`);
    device.post({ type: "sync" });
  });
  watched(reader.device, "bob");
  const rest = reader.rest(10);
  await house.settle();
  resolve();
  await rest;
  await house.until(() => order.length === beginners.length + 2, "all answers");
  const further = order.flatMap((name, at) => (name === "bob" ? [at] : []));
  // One of them with each that begins, and the request for the next takes a moment.
  assert.ok((further[0] ?? 60) < 30 && (further[1] ?? 60) < 55, `${further}`);
  assert.deepEqual(
    order.filter((name) => name !== "bob"),
    beginners.map((_, n) => `u${n}`),
  );
});

test("G4 a page of many conversations reads eight at once", async () => {
  const { store, reader, all } = await scene(40, 1);
  let [underWay, most] = [0, 0];
  store.reading = async () => {
    most = Math.max(most, ++underWay);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    underWay--;
  };
  const { items } = await reader.page(100);
  assert.deepEqual(items.toSorted(), all.toSorted());
  assert.equal(most, 8);
});

test("G8 a page that is full after a few large messages has read few in vain", async () => {
  const { store, house, reader } = await scene(0, 0);
  const body = new Uint8Array(60_000);
  for (let n = 0; n < 20; n++) {
    const message = { conversation: `a${n}:bob`, from: `a${n}`, clientMessageId: "x:1", body };
    await house.node.backend("d").send(message);
  }
  let reads = 0;
  store.reading = async () => void reads++;
  const { items } = await reader.page(100);
  assert.equal(items.length, 1);
  assert.ok(reads <= 4, `${reads} conversations were read`);
});

test("G4 what comes between two pages comes with one of those that follow, without another look", async () => {
  const { store, house, reader } = await scene(4, 5);
  await reader.page();
  // One that was read, one that is being read, one that is to come, and one that is new.
  for (const sender of ["a0", "a1", "a3", "z"])
    await write(house, `${sender}:bob`.replace("z:bob", "bob:z"), sender, "y:1");
  await reader.rest();
  const expected = [0, 1, 2, 3].flatMap((n) => range(`a${n}:bob`, 1, n === 2 ? 5 : 6));
  assert.deepEqual(reader.items.toSorted(), [...expected, "bob:z#1"]);
  assert.equal(store.looks, 1);
  await write(house, "a2:bob", "a2", "y:1");
  assert.deepEqual(
    reader.device
      .of("message")
      .filter(({ id }) => id === 0)
      .map(nameOf),
    ["a2:bob#6"],
  );
});

test("G4 own messages that are sent between pages are not left out", async () => {
  const { store, reader } = await scene(3, 5);
  await reader.page();
  await reader.device.say("a0:bob", "own");
  await reader.device.say("bob:new", "own too");
  await reader.rest();
  assert.deepEqual(
    reader.items.filter((item) => !/#[1-5]$/.test(item) || item.startsWith("bob:new")).sort(),
    ["a0:bob#6", "bob:new#1"],
  );
  assert.equal(store.looks, 1);
});

test("G4 what the user writes while all conversations are looked at hides nothing that lies before it", async () => {
  const { store, reader, all } = await scene(3, 5);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.listing = () => promise;
  const id = reader.device.post({ type: "sync", limit: 100 });
  await reader.device.say("a1:bob", "own");
  resolve();
  const { items } = await reader.answer(id);
  const others = items.filter((item) => item !== "a1:bob#6");
  assert.deepEqual(others.toSorted(), all);
});

test("G4 what is not acknowledged comes again, however often, and what was acknowledged otherwise does not", async () => {
  const { store, reader, all } = await scene(4, 5);
  const first = await reader.page(7);
  assert.deepEqual((await reader.page(7, [])).items, first.items);
  assert.deepEqual((await reader.page(7, undefined)).items.slice(0, 0), []);
  assert.deepEqual((await reader.page(7, [])).items, all.slice(7, 14), "acknowledged by the page before");
  assert.deepEqual((await reader.page(7, [["a1:bob", 3]])).items, all.slice(8, 15), "a part of it");
  await reader.device.ask({ type: "ack", positions: reader.positions }, "ack.ok");
  const last = await reader.page(7, []);
  assert.deepEqual(last, { more: false, items: all.slice(15) });
  assert.deepEqual((await reader.page(7, [])).items, last.items, "also after the last page");
  await reader.device.ask({ type: "ack", positions: reader.positions }, "ack.ok");
  assert.equal(store.looks, 1);
  assert.deepEqual(await reader.page(7, []), { more: false, items: [] });
  assert.equal(store.looks, 2, "nothing is remembered once everything is acknowledged");
});

test("G4 a push that is not acknowledged comes with the page that ends what is left", async () => {
  const { store, house, reader } = await scene(2, 5);
  await reader.page(6);
  await reader.page(6);
  await write(house, "bob:z", "z", "y:1");
  assert.equal(reader.device.of("message").at(-1)?.id, 0, "pushed");
  assert.deepEqual(await reader.page(6), { more: false, items: ["bob:z#1"] });
  assert.equal(store.looks, 1);
});

test("G4 positions of another device of the user change nothing", async () => {
  const { house, reader, all } = await scene(4, 5);
  const laptop = await bobReads(house, "laptop");
  await reader.page(7);
  await laptop.rest(9);
  await laptop.page(9);
  await laptop.device.ask({ type: "read", positions: [["a3:bob", 5]] }, "read.ok");
  await reader.rest(7);
  assert.deepEqual([reader.items, laptop.items], [all, all]);
});

test("G4 who is removed between two pages gets what was written until then, and nothing after", async () => {
  const { house, reader } = await scene(2, 5);
  const backend = house.node.backend("d");
  const members = ["alice", "bob"].map((user) => ({ user, role: "member" }) as const);
  for (const conversation of ["g", "h"]) await backend.createConversation({ conversation, members });
  for (let n = 1; n <= 9; n++)
    for (const group of ["g", "h"]) await write(house, group, "alice", `${group}:${n}`);
  await reader.page(12);
  assert.equal(reader.items.at(-1), "g#2");
  for (const group of ["g", "h"]) await backend.removeMember(group, "bob");
  for (const group of ["g", "h"]) await write(house, group, "alice", `${group}:late`);
  await backend.addMembers("h", [{ user: "bob", role: "member" }]);
  await write(house, "h", "alice", "h:last");
  await reader.rest(12);
  assert.deepEqual(
    reader.items.filter((item) => item.startsWith("g")),
    range("g", 1, 11),
  );
  // The second stay begins with #13; of the first one he may read what he was there for, but need not get it.
  assert.deepEqual(reader.items.filter((item) => item.startsWith("h")).slice(-2), ["h#13", "h#14"]);
  assert.equal(reader.items.includes("h#12"), false);
  assert.deepEqual(await reader.page(), { more: false, items: [] });
});

test("G4 a conversation that has lost entries keeps no page from coming", async () => {
  const { store, reader, all } = await scene(4, 5);
  const damaged = Object.assign(new Error("The log has lost its entry 1"), { code: "damaged" });
  store.reading = async (log) => {
    if (log.endsWith("a1:bob")) throw damaged;
  };
  await reader.rest(4);
  assert.deepEqual(
    reader.items,
    all.filter((item) => !item.startsWith("a1:")),
  );
  store.reading = async () => undefined;
  await reader.page(100);
  assert.deepEqual((await reader.page(100)).items, range("a1:bob", 1, 5), "once it was repaired");
});

test("counts between pages are those of everything that is left, and disturb no page", async () => {
  const { house, reader, all } = await scene(4, 5);
  await reader.page(7);
  const { device } = reader;
  const counts = async () => {
    const { id, count, more } = await device.ask(
      { type: "sync", counts: true, positions: reader.positions },
      "sync.ok",
    );
    const shown = device.of("conversation").filter((frame) => frame.id === id);
    assert.deepEqual([count, more], [shown.length, false]);
    return shown.map(({ conversation, head, position }) => [conversation, head - position]);
  };
  assert.deepEqual(await counts(), [
    ["a1:bob", 3],
    ["a2:bob", 5],
    ["a3:bob", 5],
  ]);
  await write(house, "a0:bob", "a0", "y:1");
  assert.equal(
    device.of("message").some(({ id }) => id === 0),
    false,
    "a page is left: it is not pushed",
  );
  await reader.rest(7);
  assert.deepEqual(reader.items.toSorted(), [...all, "a0:bob#6"].sort());
});

test("G4 two requests at once are answered one after the other, and leave nothing out", async () => {
  const { reader, all } = await scene(5, 5);
  const ids = [1, 2, 3].map(() => reader.device.post({ type: "sync", limit: 10 }));
  for (const id of ids) assert.deepEqual((await reader.answer(id)).items, all.slice(0, 10));
  await reader.rest();
  assert.deepEqual([...new Set(reader.items)], all);
});

test("G4 who stops in the middle goes on there, on the same session and on another", async () => {
  const { store, house, reader, all } = await scene(5, 5);
  const session = reader.device.of("connect.ok")[0]?.session;
  await reader.page(7);
  await reader.page(7);
  reader.device.inbound?.closed();
  await write(house, "a0:bob", "a0", "y:1");
  const resumed = new Reader(await house.device("bob", "phone", { resume: session, sync: false }));
  assert.deepEqual(
    resumed.device.of("connect.ok").map((reply) => [reply.resumed, reply.behind]),
    [[true, true]],
  );
  await resumed.page(7);
  assert.deepEqual(resumed.items, ["a0:bob#6", ...all.slice(7, 13)]);
  assert.equal(store.looks, 2);
  const other = await bobReads(house);
  await other.rest(7);
  assert.deepEqual(other.items, resumed.items.concat(all.slice(13)));
});

test("G4 a page that is still being made when its connection is gone harms none on the next one", async () => {
  const { store, house, reader, all } = await scene(5, 5);
  const session = reader.device.of("connect.ok")[0]?.session;
  await reader.page(7);
  const gate = Promise.withResolvers<void>();
  let isHeld = true;
  store.reading = async () => {
    if (isHeld) await gate.promise;
  };
  reader.device.post({ type: "sync", limit: 7, positions: reader.positions });
  await house.settle();
  isHeld = false;
  reader.device.inbound?.closed();
  const resumed = new Reader(await house.device("bob", "phone", { resume: session, sync: false }));
  await resumed.page(7);
  gate.resolve();
  await house.settle();
  await write(house, "a0:bob", "a0", "y:1");
  await resumed.rest(7);
  assert.deepEqual(resumed.items.toSorted(), [...all.slice(7), "a0:bob#6"].sort());
});

test("G4 a look that fails is made again", async () => {
  const { store, house, reader, all } = await scene(3, 5);
  store.failure = new Error("not now");
  assert.equal(await reader.device.refused({ type: "sync", limit: 7 }), "unavailable");
  assert.deepEqual(await reader.page(7), { more: true, items: all.slice(0, 7) });
  store.failure = new Error("not now");
  const positions = reader.positions;
  assert.equal(await reader.device.refused({ type: "sync", limit: 7, positions }), "unavailable");
  await write(house, "a0:bob", "a0", "y:1");
  await reader.rest(7);
  assert.deepEqual(reader.items.toSorted(), [...all, "a0:bob#6"].sort());
});

test("G4 G8 more conversations than are remembered are looked at again, and none is left out", async () => {
  // 4 for each session, and 100 for all of them.
  const { store, house, reader, all } = await scene(10, 2, { backlogConversationsMax: 100 });
  await reader.page(3);
  await write(house, "a9:bob", "a9", "y:1");
  await write(house, "bob:z", "z", "y:1");
  await reader.rest(3);
  assert.deepEqual(reader.items.toSorted(), [...all, "a9:bob#3", "bob:z#1"].sort());
  assert.ok(store.looks > 1 && store.looks < 5, `${store.looks} looks`);
});

test("G4 G8 what comes between two pages and is not remembered is looked for", async () => {
  // All 4 that are left are remembered, and there is no room for another.
  const { house, reader, all } = await scene(4, 2, { backlogConversationsMax: 100 });
  await reader.page(3);
  await write(house, "bob:z", "z", "y:1");
  await reader.rest(3);
  assert.deepEqual(reader.items, [...all, "bob:z#1"]);
});

test("G8 a page that is made for a connection that is gone remembers nothing", async () => {
  const { store, house, reader } = await scene(12, 2, { backlogConversationsMax: 100 });
  for (let n = 0; n < 30; n++) {
    const { device } = await bobReads(house, `tablet${n}`);
    // It waits for its acknowledgement, and looks only then.
    device.post({ type: "sync", limit: 3, positions: [["a0:bob", 1]] });
    device.inbound?.closed();
  }
  await house.settle();
  store.looks = 0;
  await reader.page(3);
  await reader.page(3);
  assert.equal(store.looks, 1);
});

test("G8 what all sessions remember together is bounded, and given back by those who end", async () => {
  const { store, house, all } = await scene(12, 2, { backlogConversationsMax: 100 });
  const readers: Reader[] = [];
  for (let n = 0; n < 30; n++) readers.push(await bobReads(house, `tablet${n}`));
  for (const reader of readers) await reader.page(3);
  const last = readers.pop();
  assert.ok(last);
  const looksOfNext = async () => {
    store.looks = 0;
    await last.page(3);
    return store.looks;
  };
  assert.equal(await looksOfNext(), 1, "no room: the page looks for itself");
  for (const { device } of readers.slice(0, 10)) device.inbound?.closed();
  await last.page(3);
  assert.equal(await looksOfNext(), 0, "there is room again");
  await last.rest(3);
  await readers.at(-1)?.rest(3);
  const expected = all.toSorted();
  assert.deepEqual([last.items.toSorted(), readers.at(-1)?.items.toSorted()], [expected, expected]);
});

test("G4 where events may be lost only a look at all says that nothing is left", async () => {
  const store = new WatchedStore();
  const street = new Street();
  const [here, there] = [1, 2].map(() => new House({}, store, undefined, street.end())) as [House, House];
  const all = await filled(here, 4, 5);
  const reader = await bobReads(there);
  store.looks = 0;
  await reader.page(7);
  street.isClosed = true;
  await write(here, "a0:bob", "a0", "y:1");
  await write(here, "bob:new", "new", "y:1");
  await reader.page(7);
  assert.equal(store.looks, 1);
  await reader.rest(8);
  assert.deepEqual(reader.items.toSorted(), [...all, "a0:bob#6", "bob:new#1"].sort());
  assert.equal(store.looks, 2);
  await write(here, "a1:bob", "a1", "y:1");
  assert.deepEqual(await reader.page(8), { more: false, items: ["a1:bob#6"] });
});
