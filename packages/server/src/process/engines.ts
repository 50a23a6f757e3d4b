/** The engines below the core, as the configuration chooses them: where data are kept, and how nodes reach each other. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { NatsStatistics } from "@hongyan/broker/nats";
import type { Broker, Journal, NodeEvent, Store } from "@hongyan/core";
import { MemoryBroker } from "@hongyan/core/memory";
import type { MovableStore } from "@hongyan/store/copy";
import type { EmbeddedStore } from "@hongyan/store/embedded";
import type { PlacedStore, PostgresStatistics, PostgresStore } from "@hongyan/store/postgres";
import type { Config } from "../config/schema.ts";
import { engineError, errorCodes, storeError } from "./start-error.ts";

/** Where the data are kept. */
export interface Keeping {
  readonly store: Store;
  /** Where that is, for people; absent where the embedding program brings the store. */
  readonly place?: string | undefined;
  /** Of PostgreSQL, for metrics. */
  readonly postgres?: (() => Readonly<PostgresStatistics>) | undefined;
  /** Of data that can be moved into PostgreSQL: the store is over `from`. */
  readonly movable?: Movable | undefined;
}

export interface Movable {
  readonly store: MovableStore;
  readonly from: EmbeddedStore;
  /** A migration to this address was begun: it goes on. */
  readonly goesOnTo: string | undefined;
}

/**
 * PostgreSQL, or the embedded store in `data`. Where PostgreSQL holds a copy of the embedded store that is not
 * complete, that store is served until it is. Rejects with `StartError`.
 */
export async function openStore(config: Config, journal: Journal): Promise<Keeping> {
  const { url } = config.postgres;
  if (url === "") return openEmbedded(config, journal);
  try {
    const store = await openPostgres(config, url, journal);
    return { store, place: store.place, postgres: () => store.statistics };
  } catch (error) {
    const unfinished = errorCodes(error).includes("unfinished");
    const keeping = unfinished ? await openUnfinished(config, url, journal) : undefined;
    if (keeping === undefined) throw engineError(error);
    return keeping;
  }
}

/** One server, or several. `opensCopy`: also one whose copy is not complete. */
export async function openPostgres(
  { postgres, commitBytesMax: queueBytesMax }: Config,
  url: string,
  journal: Journal,
  opensCopy = false,
): Promise<PostgresStore | PlacedStore> {
  const { PlacedStore, PostgresStore } = await import("@hongyan/store/postgres");
  const { connections: poolMax, clockSkewMsMax } = postgres;
  const options = { url, poolMax, clockSkewMsMax, queueBytesMax, journal, opensCopy };
  const servers = new Map(Object.entries(postgres.servers));
  return servers.size === 0 ? PostgresStore.open(options) : PlacedStore.open({ ...options, servers });
}

async function openEmbedded(
  config: Config,
  journal: Journal,
  goesOnTo?: string,
): Promise<Keeping & { readonly movable: Movable }> {
  const { data, commitBytesMax: queueBytesMax } = config;
  try {
    const { EmbeddedStore } = await import("@hongyan/store/embedded");
    const { MovableStore } = await import("@hongyan/store/copy/movable");
    const isBegun = goesOnTo !== undefined;
    const directory = join(data, "store");
    const from = await EmbeddedStore.open({
      directory,
      queueBytesMax,
      journal,
      create: !isBegun,
      opensMoved: isBegun,
    });
    const store = new MovableStore(from, { heldBytesMax: queueBytesMax });
    return { store, place: `directory ${resolve(directory)}`, movable: { store, from, goesOnTo } };
  } catch (error) {
    throw storeError(error, data);
  }
}

/** Undefined where the copy comes from elsewhere. */
async function openUnfinished(config: Config, url: string, journal: Journal): Promise<Keeping | undefined> {
  if (!existsSync(join(config.data, "store"))) return undefined;
  const keeping = await openEmbedded(config, journal, url);
  const { from } = keeping.movable as Movable;
  try {
    const { finishMove, isCopyOf } = await import("@hongyan/store/copy");
    if (!(await isCopyOf(url, from.epoch))) {
      await from.close();
      return undefined;
    }
    if (from.movedTo === undefined) return keeping;
    await finishMove(url, from.epoch);
    await from.close();
    const store = await openPostgres(config, url, journal);
    return { store, place: store.place, postgres: () => store.statistics };
  } catch (error) {
    await from.close();
    throw engineError(error);
  }
}

/** The way to other nodes. */
export interface Joint {
  readonly broker: Broker<NodeEvent>;
  /** Running totals for metrics; absent where there are no other nodes. */
  readonly statistics?: Readonly<NatsStatistics>;
  close(): Promise<void>;
}

/**
 * NATS, or nothing. Nodes hear each other where their stores have the same epoch, so that two deployments on one NATS
 * are two. `missed` is called when events of other nodes may have been lost. Rejects with `StartError`.
 */
export async function openJoint(
  { node, nats }: Config,
  epoch: string,
  journal: Journal,
  missed: () => void,
): Promise<Joint> {
  if (nats.url.length === 0) return { broker: new MemoryBroker(), close: async () => undefined };
  const { url, prefix, ca, cert, key, ...credentials } = nats;
  const tls = given({ ca, cert, key });
  try {
    const { NatsBroker } = await import("@hongyan/broker/nats");
    const broker = await NatsBroker.open({
      url,
      node,
      journal,
      missed,
      prefix: `${prefix}${epoch}.`,
      ...given(credentials),
      ...(Object.keys(tls).length > 0 && { tls }),
    });
    return { broker, statistics: broker.statistics, close: () => broker.close() };
  } catch (error) {
    throw engineError(error);
  }
}

/** Without what was left empty. */
function given<T extends Readonly<Record<string, string>>>(texts: T): Partial<T> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")) as Partial<T>;
}
