/** The engines below the core, as the configuration chooses them: where data are kept, and how nodes reach each other. */
import { join } from "node:path";
import type { NatsStatistics } from "@hongyan/broker/nats";
import type { Broker, Journal, NodeEvent, Store } from "@hongyan/core";
import { MemoryBroker } from "@hongyan/core/memory";
import type { PostgresStatistics } from "@hongyan/store/postgres";
import type { Config } from "../config/schema.ts";
import { engineError, storeError } from "./start-error.ts";

/** Where the data are kept. */
export interface Keeping {
  readonly store: Store;
  /** Of PostgreSQL, for metrics. */
  readonly postgres?: (() => Readonly<PostgresStatistics>) | undefined;
}

/** The embedded store in `data`, or PostgreSQL. Rejects with `StartError`. */
export async function openStore(config: Config, journal: Journal): Promise<Keeping> {
  const { data, commitBytesMax: queueBytesMax, postgres } = config;
  if (postgres.url !== "") {
    try {
      const { PostgresStore } = await import("@hongyan/store/postgres");
      const { url, connections: poolMax, clockSkewMsMax } = postgres;
      const store = await PostgresStore.open({ url, poolMax, clockSkewMsMax, queueBytesMax, journal });
      return { store, postgres: () => store.statistics };
    } catch (error) {
      throw engineError(error);
    }
  }
  try {
    const { EmbeddedStore } = await import("@hongyan/store/embedded");
    return {
      store: await EmbeddedStore.open({ directory: join(data, "store"), queueBytesMax, journal }),
    };
  } catch (error) {
    throw storeError(error, data);
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
