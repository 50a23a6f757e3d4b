import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "@hongyan/core/memory";
import { type Subject, storeContract } from "@hongyan/store/contract";
import { EmbeddedStore, type EmbeddedStoreTuning } from "@hongyan/store/embedded";
import { MemoryKeyValue } from "./memory-key-value.ts";

storeContract("MemoryStore", async () => {
  const store = new MemoryStore();
  return { store, dispose: () => store.close() };
});

storeContract("EmbeddedStore on LevelDB", () => onLevel({}));
storeContract("EmbeddedStore on LevelDB, with next to no cache", () => onLevel({ cacheBytesMax: 1000 }));
storeContract("EmbeddedStore on a key-value in memory", () => onMemory({}));
storeContract("EmbeddedStore on a key-value in memory, with next to no cache", () =>
  onMemory({ cacheBytesMax: 1000 }),
);

async function onLevel(tuning: EmbeddedStoreTuning): Promise<Subject> {
  const directory = await mkdtemp(join(tmpdir(), "hongyan-store-"));
  return reopening(
    () => EmbeddedStore.open({ directory, ...tuning }),
    () => rm(directory, { recursive: true }),
  );
}

async function onMemory(tuning: EmbeddedStoreTuning): Promise<Subject> {
  const { pairs } = new MemoryKeyValue();
  return reopening(
    () => EmbeddedStore.over(new MemoryKeyValue(pairs), tuning),
    async () => {},
  );
}

async function reopening(open: () => Promise<EmbeddedStore>, remove: () => Promise<void>): Promise<Subject> {
  const first = await open();
  let current = first;
  return {
    store: first,
    async reopen() {
      await current.close();
      current = await open();
      return current;
    },
    async dispose() {
      await current.close();
      await remove();
    },
  };
}
