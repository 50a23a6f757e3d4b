/** Where `export` takes a domain from, and `import` brings it to: the stores that the configuration names. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CopySource, CopyTarget } from "@hongyan/store/copy";
import type { EmbeddedStore } from "@hongyan/store/embedded";
import type { Config } from "../config/schema.ts";
import { shortened } from "../config/shortened.ts";
import { becomeOwner } from "../process/become-owner.ts";
import { engineError, StartError, storeError } from "../process/start-error.ts";

/** Calls `work` with all that is in the store, as it is at one moment. Rejects with `StartError`. */
export async function fromStore<T>(config: Config, work: (source: CopySource) => Promise<T>): Promise<T> {
  const { url } = config.postgres;
  if (url === "") {
    const store = await openStopped(config.data, false);
    try {
      return await work(store.copySource);
    } finally {
      await store.close();
    }
  }
  const { PostgresSnapshot } = await import("@hongyan/store/postgres");
  const snapshot = await PostgresSnapshot.open(url).catch(refuse);
  try {
    return await work(snapshot.source);
  } finally {
    await snapshot.close();
  }
}

/**
 * Calls `work` with a target for everything whose name begins with `prefix`. When it rejects, or is killed, nothing of
 * it takes effect.
 */
export async function intoStore<T>(
  config: Config,
  prefix: string,
  work: (target: CopyTarget) => Promise<T>,
): Promise<T> {
  const { url } = config.postgres;
  if (url === "") return intoEmbedded(config.data, prefix, work);
  const { PostgresImport } = await import("@hongyan/store/postgres");
  const coming = await PostgresImport.begin(url, prefix).catch(refuse);
  try {
    const result = await work(coming);
    await coming.end();
    return result;
  } finally {
    await coming.close();
  }
}

async function intoEmbedded<T>(
  data: string,
  prefix: string,
  work: (target: CopyTarget) => Promise<T>,
): Promise<T> {
  const store = await openStopped(data, true);
  try {
    if (await holds(store.copySource, prefix))
      throw new StartError(`${shortened(data)} has this domain already: an import does not mix two`);
    const result = await work(await store.importBegin(prefix));
    await store.importEnd();
    return result;
  } finally {
    await store.close();
  }
}

async function holds(source: CopySource, prefix: string): Promise<boolean> {
  for (const pages of [source.records(prefix), source.logs(prefix), source.cursors(prefix)])
    for await (const page of pages) if (page.length > 0) return true;
  return false;
}

/** Opening takes away what an import that was interrupted has left. */
async function openStopped(data: string, create: boolean): Promise<EmbeddedStore> {
  const directory = join(data, "store");
  if (!create && !existsSync(directory))
    throw new StartError(
      `${shortened(data)} holds no data: name the directory with --data, or set postgres.url`,
    );
  try {
    const { EmbeddedStore } = await import("@hongyan/store/embedded");
    becomeOwner(data);
    return await EmbeddedStore.open({ directory, create });
  } catch (error) {
    throw storeError(error, data);
  }
}

function refuse(error: unknown): never {
  throw engineError(error);
}
