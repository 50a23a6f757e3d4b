import type { Advance, Append, AppendOutcome, Batch, CommitOutcome, Put, Store } from "@hongyan/core";

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
    commit: (batch) => answered(batch.inParts === true ? inParts(store, batch, travel) : store.commit(batch)),
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

/** As PostgreSQL may do it: one log after the other, each by itself, so that a node may be gone in between. */
async function inParts(store: Store, batch: Batch, travel: () => Promise<void>): Promise<CommitOutcome> {
  const appends = new Map<Append, AppendOutcome>();
  const puts = new Map<Put, number | undefined>();
  for (const part of partsOf(batch)) {
    await travel();
    const outcome = await store.commit({
      ...part,
      appends: part.appends.map((append) =>
        append.guard === undefined
          ? append
          : { ...append, guard: part.puts.indexOf(batch.puts[append.guard] as Put) },
      ),
    });
    part.appends.forEach((append, i) => void appends.set(append, outcome.appends[i] as AppendOutcome));
    part.puts.forEach((put, i) => void puts.set(put, outcome.puts[i]));
  }
  return {
    appends: batch.appends.map((append) => appends.get(append) as AppendOutcome),
    puts: batch.puts.map((put) => puts.get(put)),
  };
}

interface Part {
  readonly appends: Append[];
  readonly advances: Advance[];
  readonly puts: Put[];
}

function partsOf(batch: Batch): Iterable<Part> {
  const parts = new Map<string, Part>();
  const part = (log: string): Part => {
    const found = parts.get(log) ?? { appends: [], advances: [], puts: [] };
    parts.set(log, found);
    return found;
  };
  for (const append of batch.appends) {
    const of = part(append.log);
    of.appends.push(append);
    const guard = append.guard === undefined ? undefined : batch.puts[append.guard];
    if (guard !== undefined && !of.puts.includes(guard)) of.puts.push(guard);
  }
  for (const advance of batch.advances) part(advance.log).advances.push(advance);
  return parts.values();
}
