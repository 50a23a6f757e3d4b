import type { CommitOutcome } from "@hongyan/core";

/** Running totals since the store was opened, and how it is now, for metrics. */
export interface PostgresStatistics {
  /** Batches that were committed, and the transactions that carried them (group commit). */
  commits: number;
  transactions: number;
  appendsStored: number;
  appendsDuplicate: number;
  /** Transactions that had to look before they could write, and how long the looks took. */
  looks: number;
  lookSeconds: number;
  /** How long writing took, with the COMMIT. */
  writeSeconds: number;
  /** Transactions that lost to one of another node and were made again. */
  lostRaces: number;
  commitFailures: number;
  /** How often the connections that commit were lost and opened again. */
  recoveries: number;
  /** Connections that read: open now, at work now, and reads that wait for one or to leave with others. */
  readConnections: number;
  readConnectionsBusy: number;
  readsWaiting: number;
  /** How far the clock of this machine is ahead of the server's, as it was measured last. */
  clockSkewSeconds: number;
}

export function newStatistics(): PostgresStatistics {
  return {
    commits: 0,
    transactions: 0,
    appendsStored: 0,
    appendsDuplicate: 0,
    looks: 0,
    lookSeconds: 0,
    writeSeconds: 0,
    lostRaces: 0,
    commitFailures: 0,
    recoveries: 0,
    readConnections: 0,
    readConnectionsBusy: 0,
    readsWaiting: 0,
    clockSkewSeconds: 0,
  };
}

/** Counts what one transaction has committed. */
export function count(statistics: PostgresStatistics, outcomes: readonly CommitOutcome[]): void {
  statistics.commits += outcomes.length;
  statistics.transactions++;
  for (const { appends } of outcomes) {
    for (const { status } of appends) {
      if (status === "stored") statistics.appendsStored++;
      else if (status === "duplicate") statistics.appendsDuplicate++;
    }
  }
}

/** Of several servers; the clock that is furthest off. */
export function totalOf(all: readonly Readonly<PostgresStatistics>[]): PostgresStatistics {
  const total = newStatistics();
  for (const one of all) {
    for (const name of Object.keys(total) as (keyof PostgresStatistics)[])
      if (name !== "clockSkewSeconds") total[name] += one[name];
    if (Math.abs(one.clockSkewSeconds) > Math.abs(total.clockSkewSeconds))
      total.clockSkewSeconds = one.clockSkewSeconds;
  }
  return total;
}
