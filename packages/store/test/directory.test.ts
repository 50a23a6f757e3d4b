import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { EmbeddedStore, StoreError } from "@hongyan/store/embedded";
import { ClassicLevel } from "classic-level";
import { openLevel } from "../src/embedded/classic-level.ts";
import { metaKey } from "../src/embedded/keys.ts";
import { append, bodies, bodiesTo, commit, freshDirectory, until } from "./data.ts";

const refusal = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreError);
  assert.equal(error.code, code);
  assert.match(error.message, text);
  return true;
};

test("a missing directory is made, with those above it", async (t) => {
  const directory = join(await freshDirectory(t), "not", "yet");
  const store = await EmbeddedStore.open({ directory });
  await commit(store, append("a", 1));
  await store.close();
  const again = await EmbeddedStore.open({ directory });
  assert.deepEqual(await bodies(again, "a"), bodiesTo(1));
  assert.equal(again.epoch, store.epoch);
  await again.close();
});

test("a second server on the same directory is refused by its name, in this process and in another", async (t) => {
  const directory = await freshDirectory(t);
  const store = await EmbeddedStore.open({ directory });
  const locked = refusal("locked", new RegExp(`${directory} is in use by another server`));
  await assert.rejects(EmbeddedStore.open({ directory }), locked);
  const script = `
    import { EmbeddedStore } from "@hongyan/store/embedded";
    await EmbeddedStore.open({ directory: ${JSON.stringify(directory)} }).then(
      () => console.log("opened"),
      (error) => console.log(error.code, error.message),
    );`;
  const other = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
  });
  let output = "";
  other.stdout.on("data", (data) => {
    output += data;
  });
  await once(other, "close");
  assert.equal(output.trim(), `locked The data directory ${directory} is in use by another server`);
  // The first one is not disturbed, and the directory is free after it.
  await commit(store, append("a", 1));
  await store.close();
  await (await EmbeddedStore.open({ directory })).close();
});

test("G1 every write asks LevelDB for fdatasync", async (t) => {
  const options: unknown[] = [];
  const { batch } = ClassicLevel.prototype as unknown as {
    batch: () => { write: (options: unknown) => unknown };
  };
  t.mock.method(ClassicLevel.prototype, "batch", function (this: ClassicLevel) {
    const made = batch.call(this);
    const { write } = made;
    made.write = (given) => {
      options.push(given);
      return write.call(made, given);
    };
    return made;
  });
  const store = await EmbeddedStore.open({ directory: await freshDirectory(t) });
  await commit(store, append("a", 1));
  await store.trim("a", 1);
  await store.close();
  // The epoch, the commit, the trim.
  assert.deepEqual(options, [{ sync: true }, { sync: true }, { sync: true }]);
});

test("a path that cannot be a directory is refused by its name", async (t) => {
  const file = join(await freshDirectory(t), "file");
  await writeFile(file, "");
  for (const directory of [file, join(file, "below")]) {
    await assert.rejects(
      EmbeddedStore.open({ directory }),
      refusal("unwritable", new RegExp(`${directory} cannot be used: (EEXIST|ENOTDIR)`)),
    );
  }
});

test("data of a newer format are refused, and left as they are", async (t) => {
  const directory = await freshDirectory(t);
  await (await EmbeddedStore.open({ directory })).close();
  const level = { directory, blockCacheBytes: 1_000_000, create: false };
  const keyValue = await openLevel(level);
  await keyValue.write([{ key: metaKey("format"), value: Buffer.from("2") }]);
  await keyValue.close();
  const newer = refusal(
    "newer_format",
    new RegExp(`${directory} has data format 2; this version reads up to format 1`),
  );
  await assert.rejects(EmbeddedStore.open({ directory }), newer);
  await assert.rejects(EmbeddedStore.open({ directory }), newer);
});

test("LevelDB data of another program are refused", async (t) => {
  const directory = join(await freshDirectory(t), "other");
  await mkdir(directory);
  const keyValue = await openLevel({ directory, blockCacheBytes: 1_000_000, create: true });
  await keyValue.write([{ key: Buffer.from("key"), value: Buffer.from("value") }]);
  await keyValue.close();
  await assert.rejects(EmbeddedStore.open({ directory }), refusal("foreign", /that Hongyan did not write/));
});

/** A store whose second between two looks has passed as soon as the directory was changed. */
async function lookedAfter(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const directory = join(await freshDirectory(t), "store");
  const store = await EmbeddedStore.open({ directory });
  t.after(() => store.close());
  await commit(store, append("a", 1));
  const look = async (): Promise<void> => {
    t.mock.timers.tick(1_000);
    await until(() => store.statistics.writeFailures === 1);
  };
  return { directory, store, look };
}

test("G1 a directory that was moved away takes no writes until it is back, and then goes on", async (t) => {
  const { directory, store, look } = await lookedAfter(t);
  await rename(directory, `${directory}-away`);
  await look();
  await assert.rejects(
    commit(store, append("a", 2)),
    refusal("gone", new RegExp(`${directory} was deleted`)),
  );
  await assert.rejects(commit(store), { code: "gone" }, "an empty batch is how a caller asks");
  assert.deepEqual(await bodies(store, "a"), bodiesTo(1));
  await rename(`${directory}-away`, directory);
  await until(() => store.statistics.recoveries === 1);
  assert.equal((await commit(store, append("a", 2)))[0]?.seq, 2);
});

test("G1 a directory that was deleted takes no writes", async (t) => {
  const { directory, store, look } = await lookedAfter(t);
  await rm(directory, { recursive: true });
  await look();
  await assert.rejects(commit(store, append("a", 2)), { code: "gone" });
});

test("G1 a directory in whose place stands another one takes no writes before that is opened", async (t) => {
  const { directory, store, look } = await lookedAfter(t);
  await cp(directory, `${directory}-copy`, { recursive: true });
  await rename(directory, `${directory}-away`);
  await rename(`${directory}-copy`, directory);
  const late = commit(store, append("a", 2));
  await late.catch(() => undefined);
  await look();
  await until(() => store.statistics.recoveries === 1);
  // What the other one has is what there is.
  assert.deepEqual(await bodies(store, "a"), bodiesTo(1));
});
