import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Append, AppendOutcome, Store } from "@hongyan/core";

/** A directory that is removed after the test. */
export async function freshDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "hongyan-store-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export function append(log: string, number: number, body = `body ${number}`): Append {
  return { log, producer: "p", number, time: 1, body: Buffer.from(body) };
}

export async function commit(store: Store, ...appends: Append[]): Promise<readonly AppendOutcome[]> {
  return (await store.commit({ appends, advances: [], puts: [] })).appends;
}

export const everything = { count: 1_000_000, bytes: 1_000_000_000 };

export async function bodies(store: Store, log: string): Promise<string[]> {
  return (await store.read(log, 0, everything)).map(({ body }) => Buffer.from(body).toString());
}

/** `body 1` to `body n`. */
export function bodiesTo(n: number): string[] {
  return Array.from({ length: n }, (_, i) => `body ${i + 1}`);
}

/** Resolves once `condition` holds; looks after every turn of the event loop. Gives up after 20 s. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`It never came to be: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
