import type { Append } from "@hongyan/core";
import type { Plant } from "./plant.ts";
import { wrapStore } from "./wrap.ts";

/** G1: the disk confirms writes that it has only begun. */
export function acknowledgeBeforeCommit(): Plant {
  return { breaks: ["G1"], diskLies: true };
}

/** G2: idempotency keys are not written: every resend is a new entry. */
export function forgetDedupe(): Plant {
  const seqs = new Map<string, number>();
  const keyOf = (log: string, producer: string, number: number): string => `${log} ${producer} ${number}`;
  return {
    breaks: ["G2"],
    store: (store) =>
      wrapStore(store, {
        commit: async (batch) => {
          const outcome = await store.commit({
            ...batch,
            appends: batch.appends.map((append) => ({ ...append, producer: "" })),
          });
          batch.appends.forEach(({ log, producer, number }, i) => {
            seqs.set(keyOf(log, producer, number), outcome.appends[i]?.seq ?? 0);
          });
          return outcome;
        },
        // So that `after` still finds what was sent before.
        find: async (log, producer, number) => seqs.get(keyOf(log, producer, number)),
      }),
  };
}

/** G2: the same client message id with another body is answered as if it were the same message. */
export function conflictAsDuplicate(): Plant {
  return {
    breaks: ["G2"],
    store: (store) =>
      wrapStore(store, {
        commit: async (batch) => {
          const outcome = await store.commit(batch);
          const appends = outcome.appends.map((append) =>
            append.status === "conflict" ? { ...append, status: "duplicate" as const } : append,
          );
          return { ...outcome, appends };
        },
      }),
  };
}

/** G3: a resend burns a seq, as a statement does that takes its snapshot before it waits for the lock. */
export function seqHole(): Plant {
  /** Seqs above it are told one too high, by log. */
  const burnt = new Map<string, number>();
  const told = (log: string, seq: number): number =>
    seq > (burnt.get(log) ?? Number.POSITIVE_INFINITY) ? seq + 1 : seq;
  const stored = (log: string, seq: number): number =>
    seq > (burnt.get(log) ?? Number.POSITIVE_INFINITY) ? seq - 1 : seq;
  return {
    breaks: ["G3", "G2"],
    store: (store) =>
      wrapStore(store, {
        commit: async (batch) => {
          const outcome = await store.commit(batch);
          const appends = outcome.appends.map((result, i) => {
            const { log } = batch.appends[i] as Append;
            const seq = told(log, result.seq);
            if (result.status === "duplicate" && !burnt.has(log)) burnt.set(log, result.seq);
            return { ...result, seq };
          });
          return { ...outcome, appends };
        },
        read: async (log, after, limit) =>
          retell(await store.read(log, stored(log, after), limit), log, told),
        readBack: async (log, before, limit) =>
          retell(await store.readBack(log, stored(log, before), limit), log, told),
        heads: async (logs) => (await store.heads(logs)).map((head, i) => told(logs[i] as string, head)),
      }),
  };
}

function retell<E extends { readonly seq: number }>(
  entries: E[],
  log: string,
  told: (log: string, seq: number) => number,
): E[] {
  return entries.map((entry) => ({ ...entry, seq: told(log, entry.seq) }));
}

/** G3: within a commit, the newest comes first. */
export function reverseCommit(): Plant {
  return {
    breaks: ["G3"],
    store: (store) =>
      wrapStore(store, {
        commit: async (batch) => {
          const count = batch.appends.length;
          if (batch.appends.some(({ guard }) => guard !== undefined)) return store.commit(batch);
          const outcome = await store.commit({ ...batch, appends: [...batch.appends].reverse() });
          return {
            ...outcome,
            appends: batch.appends.flatMap((_, i) => outcome.appends[count - 1 - i] ?? []),
          };
        },
      }),
  };
}

/** G4: one cursor for all devices of a user: what one has, the others never get. */
export function skipADevice(): Plant {
  const shared = (reader: string): string =>
    reader.startsWith("d/") ? `${reader.slice(0, reader.indexOf("/", 2))}/any` : reader;
  return {
    breaks: ["G4", "G5"],
    store: (store) =>
      wrapStore(store, {
        commit: (batch) =>
          store.commit({
            ...batch,
            advances: batch.advances.map((advance) => ({ ...advance, reader: shared(advance.reader) })),
          }),
        positions: (of) => store.positions(of.map(({ log, reader }) => ({ log, reader: shared(reader) }))),
      }),
  };
}

/** G4: a page begins one entry too late: what lies between two pages is never read. */
export function skipBetweenPages(): Plant {
  return {
    breaks: ["G4", "G5"],
    store: (store) =>
      wrapStore(store, { read: (log, after, limit) => store.read(log, after === 0 ? 0 : after + 1, limit) }),
  };
}

/** G5: the last writer of a cursor wins, also with a lower position. */
export function cursorBackwards(): Plant {
  const positions = new Map<string, number>();
  return {
    breaks: ["G5"],
    store: (store) =>
      wrapStore(store, {
        commit: async (batch) => {
          const outcome = await store.commit(batch);
          for (const { log, reader, position } of batch.advances) positions.set(`${log} ${reader}`, position);
          return outcome;
        },
        positions: async (of) => {
          const stored = await store.positions(of);
          return of.map(({ log, reader }, i) => positions.get(`${log} ${reader}`) ?? stored[i] ?? 0);
        },
        readers: async (log, after, count) => {
          const stored = await store.readers(log, after, count);
          return stored.map(({ reader, position }) => ({
            reader,
            position: positions.get(`${log} ${reader}`) ?? position,
          }));
        },
      }),
  };
}

/** G5: cursors are confirmed and not written. */
export function forgetCursor(): Plant {
  return {
    breaks: ["G5"],
    store: (store) => wrapStore(store, { commit: (batch) => store.commit({ ...batch, advances: [] }) }),
  };
}

/** G10: reads ignore whose conversation it is. */
export function crossDomainRead(): Plant {
  const elsewhere = (log: string): string => log.replace(/^beta\//, "acme/");
  return {
    breaks: ["G10"],
    store: (store) =>
      wrapStore(store, {
        read: (log, after, limit) => store.read(elsewhere(log), after, limit),
        readBack: (log, before, limit) => store.readBack(elsewhere(log), before, limit),
      }),
  };
}
