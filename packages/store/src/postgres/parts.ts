import type { Advance, Append, AppendOutcome, Batch, CommitOutcome, Put } from "@hongyan/core";

/** Below this a batch is not cut: a transaction more costs as much as a few dozen entries. */
const entriesMin = 128;

/** What a batch has for one place, and where that was in it. */
export interface Part {
  readonly batch: {
    readonly appends: Append[];
    readonly advances: Advance[];
    readonly puts: Put[];
    readonly inParts: true;
  };
  readonly appends: number[];
  /** From the place in the whole to that in the part. */
  readonly puts: Map<number, number>;
}

export type Parts<Place> = ReadonlyMap<Place, Part>;

/** Cuts a batch that may be committed in parts along the lanes of its logs; undefined where that does not pay. */
export function partsOf(batch: Batch, laneOf: (log: string) => number): Parts<number> | undefined {
  const { appends, advances, inParts } = batch;
  if (inParts !== true || appends.length + advances.length < entriesMin) return undefined;
  const parts = cut(batch, laneOf);
  return parts.size > 1 ? parts : undefined;
}

/** Cuts a batch along the places of its logs. */
export function cut<Place>(
  { appends, advances, puts }: Batch,
  placeOf: (log: string) => Place,
): Parts<Place> {
  const parts = new Map<Place, Part>();
  const part = (log: string): Part => {
    const place = placeOf(log);
    let found = parts.get(place);
    if (found === undefined) {
      found = { batch: { appends: [], advances: [], puts: [], inParts: true }, appends: [], puts: new Map() };
      parts.set(place, found);
    }
    return found;
  };
  appends.forEach((append, at) => {
    const of = part(append.log);
    of.appends.push(at);
    of.batch.appends.push(append.guard === undefined ? append : guarded(append, append.guard, puts, of));
  });
  for (const advance of advances) part(advance.log).batch.advances.push(advance);
  return parts;
}

/** The put that an append is guarded by goes with it. */
function guarded(append: Append, guard: number, puts: readonly Put[], part: Part): Append {
  let at = part.puts.get(guard);
  if (at === undefined) {
    at = part.batch.puts.push(puts[guard] as Put) - 1;
    part.puts.set(guard, at);
  }
  return { ...append, guard: at };
}

/** The outcome of the whole, from those of its parts in their order. */
export function joined(
  batch: Batch,
  parts: Parts<unknown>,
  outcomes: readonly CommitOutcome[],
): CommitOutcome {
  const appends = new Array<AppendOutcome>(batch.appends.length);
  const puts = new Array<number | undefined>(batch.puts.length).fill(undefined);
  let nth = 0;
  for (const part of parts.values()) {
    const outcome = outcomes[nth++] as CommitOutcome;
    part.appends.forEach((at, i) => {
      appends[at] = outcome.appends[i] as AppendOutcome;
    });
    for (const [at, i] of part.puts) puts[at] = outcome.puts[i];
  }
  return { appends, puts };
}

export function isEmpty({ appends, advances, puts }: Batch): boolean {
  return appends.length === 0 && advances.length === 0 && puts.length === 0;
}
