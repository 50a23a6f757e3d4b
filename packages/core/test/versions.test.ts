/** Nodes of two releases on one store. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBroker, MemoryStore } from "@hongyan/core/memory";
import { House } from "./house.ts";

/** As a newer release might write them: every record has more in it than this one knows. */
async function grow(store: MemoryStore): Promise<number> {
  const records = (await store.list("d/", "", 1000)).filter(({ value }) => value.length > 0);
  const puts = records.map(({ key, value }) => {
    const record = JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>;
    return { key, value: Buffer.from(JSON.stringify({ ...record, later: { deep: [1] }, first: null })) };
  });
  await store.commit({ appends: [], advances: [], puts });
  return records.length;
}

test("records in which a newer node has written more are read, and changed, all the same", async () => {
  const store = new MemoryStore();
  const newer = new House({}, store, undefined, new MemoryBroker());
  await newer.node.backend("d").putUser({ user: "alice", name: "Alice" });
  const first = await newer.device("alice");
  await first.ask(
    { type: "create", conversation: "g", name: "Geese", members: ["bob", "carol"] },
    "create.ok",
  );
  await first.say("g", "one");
  await first.say("alice:bob", "two");
  assert.ok((await grow(store)) >= 10, "user, conversations, members, memberships, device");

  const older = new House({}, store, undefined, new MemoryBroker());
  const alice = await older.device("alice");
  const bob = await older.device("bob");
  await alice.ask({ type: "list" }, "list.ok");
  const group = alice.of("conversation").find(({ conversation }) => conversation === "g");
  assert.deepEqual([group?.name, group?.role, group?.members, group?.head], ["Geese", "owner", 3, 2]);
  await alice.ask({ type: "users", users: ["alice"] }, "users.ok");
  assert.equal(alice.of("user")[0]?.name, "Alice");
  await alice.ask({ type: "update", conversation: "g", name: "Swans" }, "update.ok");
  await alice.ask({ type: "remove", conversation: "g", users: ["carol"] }, "remove.ok");
  await alice.say("g", "three");
  await older.until(() => bob.heard.includes("three"), "the message");
});
