/** Running totals since the store was opened, for metrics. */
export interface PostgresStatistics {
  /** Batches that were committed, and the transactions that carried them (group commit). */
  commits: number;
  transactions: number;
  appendsStored: number;
  appendsDuplicate: number;
  /** Transactions that lost to one of another node and were tried again. */
  lostRaces: number;
  commitFailures: number;
  recoveries: number;
}

export function newStatistics(): PostgresStatistics {
  return {
    commits: 0,
    transactions: 0,
    appendsStored: 0,
    appendsDuplicate: 0,
    lostRaces: 0,
    commitFailures: 0,
    recoveries: 0,
  };
}
