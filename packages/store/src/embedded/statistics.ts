/** Running totals since the store was opened, for metrics. */
export interface StoreStatistics {
  /** Batches that were committed, and the disk writes that carried them (group commit). */
  commits: number;
  writes: number;
  /** Keys and values handed to the disk; the disk itself writes more (its log, compaction). */
  bytesWritten: number;
  appendsStored: number;
  appendsDuplicate: number;
  /** Logs whose state was in memory when a commit needed it, and those that had to be read. */
  logCacheHits: number;
  logCacheMisses: number;
  /** Idempotency keys that memory could not decide, so that the disk was asked. */
  keyLookups: number;
  writeFailures: number;
  recoveries: number;
}

export function newStatistics(): StoreStatistics {
  return {
    commits: 0,
    writes: 0,
    bytesWritten: 0,
    appendsStored: 0,
    appendsDuplicate: 0,
    logCacheHits: 0,
    logCacheMisses: 0,
    keyLookups: 0,
    writeFailures: 0,
    recoveries: 0,
  };
}
