import type { Store } from "@hongyan/core";

/**
 * One node's connection to a store that other nodes use as well: answers take their time, and whoever is gone learns
 * nothing any more, while what it has asked for may still be done.
 */
export function remoteStore(store: Store, isAlive: () => boolean, travel: () => Promise<void>): Store {
  const answered = async <T>(work: Promise<T>): Promise<T> => {
    const [outcome] = await Promise.allSettled([work]);
    await travel();
    if (!isAlive()) return new Promise<never>(() => {});
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  };
  return {
    epoch: store.epoch,
    commit: (batch) => answered(store.commit(batch)),
    read: (log, after, limit) => answered(store.read(log, after, limit)),
    readBack: (log, before, limit) => answered(store.readBack(log, before, limit)),
    heads: (logs) => answered(store.heads(logs)),
    find: (log, producer, number) => answered(store.find(log, producer, number)),
    trim: (log, upTo) => answered(store.trim(log, upTo)),
    positions: (of) => answered(store.positions(of)),
    readers: (log, after, count) => answered(store.readers(log, after, count)),
    records: (keys) => answered(store.records(keys)),
    list: (prefix, after, count) => answered(store.list(prefix, after, count)),
    close: async () => undefined,
  };
}
