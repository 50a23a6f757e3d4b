import type { StoredRecord } from "@hongyan/core";
import type { Plant } from "./plant.ts";
import { wrapStore } from "./wrap.ts";

/** A removed member writes through a server that has not heard of it: the store is not asked. */
export function trustStaleMembership(): Plant {
  return {
    breaks: ["membership"],
    store: (store) =>
      wrapStore(store, {
        commit: (batch) => {
          const isAbsence = (guard: number | undefined): boolean =>
            guard !== undefined && batch.puts[guard]?.key.includes("/departed/") === true;
          const appends = batch.appends.map(({ guard, ...append }) =>
            guard === undefined || isAbsence(guard) ? append : { ...append, guard },
          );
          return store.commit({ ...batch, appends });
        },
      }),
  };
}

/** Members come in and go at the head that their server believes in. */
export function trustStaleHead(): Plant {
  return {
    breaks: ["membership", "G4"],
    store: (store) =>
      wrapStore(store, {
        commit: (batch) => store.commit({ ...batch, puts: batch.puts.map(({ head: _, ...put }) => put) }),
      }),
  };
}

/** G4: a server reads who is a member once; what other servers change later is nothing to it. */
export function overlookMemberChanges(): Plant {
  return {
    breaks: ["G4", "G5", "membership"],
    store: (store) => {
      const known = new Map<string, StoredRecord>();
      const first = (row: StoredRecord | undefined): StoredRecord | undefined => {
        if (row === undefined || !row.key.includes("/member/")) return row;
        return known.getOrInsert(row.key, row);
      };
      return wrapStore(store, {
        records: async (keys) => (await store.records(keys)).map(first),
        list: async (prefix, after, count) =>
          (await store.list(prefix, after, count)).map((row) => first(row) as StoredRecord),
      });
    },
  };
}

/** A device keeps its session on the server that it has left. */
export function neverReplaced(): Plant {
  return {
    breaks: ["liveness"],
    // No claim is written, so that none is ever lost; and nobody is told of one.
    store: (store) =>
      wrapStore(store, {
        commit: async (batch) => {
          const isClaim = batch.puts.map(({ key }) => key.split("/")[1] === "device");
          const puts = batch.puts.map((put, i) => (isClaim[i] ? { key: put.key, value: undefined } : put));
          const outcome = await store.commit({ ...batch, puts });
          return { ...outcome, puts: outcome.puts.map((version, i) => (isClaim[i] ? 1 : version)) };
        },
      }),
    broker: (broker) => ({
      publish: (subjects, event) => {
        if (event.kind !== "claimed") broker.publish(subjects, event);
      },
      subscribe: (subject, receive) => broker.subscribe(subject, receive),
      unsubscribe: (subject) => broker.unsubscribe(subject),
    }),
  };
}

/** G4: an event that the broker has lost is never made up for. */
export function neverRepaired(): Plant {
  return { breaks: ["G4", "G5"], cluster: () => ({ repairEveryMs: Number.MAX_SAFE_INTEGER }) };
}
