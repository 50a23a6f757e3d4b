import type { EmbeddedStore } from "../embedded/embedded-store.ts";
import { PostgresCopy } from "../postgres/postgres-copy.ts";
import { PostgresSnapshot } from "../postgres/postgres-snapshot.ts";
import { StoreError } from "../store-error.ts";
import { Comparison } from "./comparison.ts";
import { count, newTally, type Tally } from "./tally.ts";

/** What a store holds, and whether the database can take it. Writes nothing. */
export async function survey(
  from: EmbeddedStore,
  url: string,
): Promise<Tally & { readonly isBegun: boolean }> {
  const state = await PostgresCopy.look(url, from.epoch);
  const tally = newTally();
  const source = from.copySource;
  for await (const marks of source.logs(""))
    for (const { head, trimmed } of marks) {
      tally.logs++;
      tally.entries += head - trimmed;
    }
  for await (const cursors of source.cursors("")) tally.cursors += cursors.length;
  for await (const records of source.records("")) count(tally, { logs: [], cursors: [], records });
  return { ...tally, isBegun: state !== "empty" };
}

/** Compares what was moved with what the database has of it; that may have gone on since. */
export async function compareMoved(
  from: EmbeddedStore,
  url: string,
  signal: AbortSignal,
  report: (done: Readonly<Tally>) => void,
): Promise<Tally> {
  if (from.movedTo === undefined)
    throw new StoreError(
      "unsuitable",
      "The data were not moved yet: to migrate compares everything by itself",
    );
  const snapshot = await PostgresSnapshot.open(url);
  try {
    const { source: target, place } = snapshot;
    if (target.epoch !== from.epoch)
      throw new StoreError(
        "occupied",
        `${place} holds other data (epoch ${target.epoch}, not ${from.epoch})`,
      );
    const comparison = new Comparison({ source: from.copySource, target, signal, isAhead: true });
    const reports = setInterval(() => report({ ...comparison.tally }), 1000);
    try {
      await comparison.all();
    } finally {
      clearInterval(reports);
    }
    return comparison.tally;
  } finally {
    await snapshot.close();
  }
}

/** Whether the database holds a copy of the data of `epoch` that is not complete. */
export async function isCopyOf(url: string, epoch: string): Promise<boolean> {
  return (await PostgresCopy.look(url, epoch)) === "unfinished";
}
