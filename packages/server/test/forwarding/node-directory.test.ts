import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { NodeDirectory } from "../../src/forwarding/node-directory.ts";
import { systemRandom } from "../../src/process/random.ts";
import { TestJournal } from "../transport/echo-acceptor.ts";
import { CountingStore } from "./two-nodes.ts";

let store: CountingStore;
let journal: TestJournal;

beforeEach(() => {
  store = new CountingStore();
  journal = new TestJournal();
});

async function node(url: string): Promise<NodeDirectory> {
  const directory = new NodeDirectory({ store, journal, random: systemRandom, url });
  await directory.open();
  return directory;
}

const keys = async () => (await store.list("/node/", "", 100)).map(({ key }) => key);

test("a node is found as soon as it is open, and no more once it has closed", async () => {
  const one = await node("http://127.0.0.1:1");
  assert.equal(await one.find("nobody"), undefined);
  const two = await node("http://127.0.0.1:2");
  assert.deepEqual(await one.find(two.own.place), two.own);
  await two.close();
  await one.beat();
  assert.equal(await one.find(two.own.place), undefined);
  assert.deepEqual(await keys(), [`/node/${one.own.place}`]);
});

test("a node that has died is forgotten by the others after four rounds, one that lives is not", async () => {
  const one = await node("http://127.0.0.1:1");
  const dead = await node("http://127.0.0.1:2");
  const alive = await node("http://127.0.0.1:3");
  for (let round = 0; round < 4; round++) {
    await one.beat();
    assert.deepEqual(await one.find(dead.own.place), dead.own, `round ${round}`);
    await alive.beat();
  }
  await one.beat();
  assert.equal(await one.find(dead.own.place), undefined);
  assert.deepEqual(await one.find(alive.own.place), alive.own);
  assert.equal((await keys()).length, 2);
});

test("a node that was taken for dead comes back with its next round", async () => {
  const one = await node("http://127.0.0.1:1");
  const slow = await node("http://127.0.0.1:2");
  for (let round = 0; round < 5; round++) await one.beat();
  assert.equal(await one.find(slow.own.place), undefined);
  await slow.beat();
  await one.beat();
  assert.deepEqual(await one.find(slow.own.place), slow.own);
});

test("a store that is away costs a line in the log, and nobody is forgotten for it", async () => {
  const one = await node("http://127.0.0.1:1");
  const two = await node("http://127.0.0.1:2");
  await one.beat();
  const list = store.list.bind(store);
  store.list = () => Promise.reject(new Error("away"));
  for (let round = 0; round < 10; round++) await one.beat();
  assert.equal(await one.find("unknown"), undefined);
  store.list = list;
  assert.deepEqual(await one.find(two.own.place), two.own);
  assert.equal(journal.warnings.length, 11);
});

test("a close does not wait for a store that does not answer, nor write after it", async () => {
  const one = await node("http://127.0.0.1:1");
  store.commit = () => new Promise(() => undefined);
  one.tick(1);
  await one.close();
  one.tick(1_000_000);
});

test("records of another version or of nobody's are left alone where they are not understood", async () => {
  const one = await node("http://127.0.0.1:1");
  await store.announce("newer", { url: "http://127.0.0.1:9", key: "k", weight: 3 });
  await store.announce("other", { address: "127.0.0.1:9" });
  await store.announce("broken", "{");
  await store.announce("nowhere", { url: "not a url", key: "k" });
  await one.beat();
  assert.deepEqual(await one.find("newer"), { place: "newer", url: "http://127.0.0.1:9", key: "k" });
  for (const place of ["other", "broken", "nowhere"]) assert.equal(await one.find(place), undefined);
});
