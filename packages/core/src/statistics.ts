/** Running totals since the start, and how much there is now. */
export interface Statistics {
  connections: number;
  sessions: number;
  onlineUsers: number;
  residentConversations: number;
  /** Users whose presence somebody here watches. */
  watchedUsers: number;
  messagesStored: number;
  messagesDuplicate: number;
  messagesPushed: number;
  acks: number;
  receiptsPushed: number;
  commits: number;
  /** Time that all commits took, added up. */
  commitSeconds: number;
  /** Bytes that wait for the store at the moment. */
  waitingBytes: number;
  /** Bytes queued for slow readers at the last tick. */
  outboxBytes: number;
  commitFailures: number;
  syncPages: number;
  /** Users who were compared with the store, as events may have been lost. */
  comparisons: number;
  movedToPull: number;
  errors: number;
}

export function emptyStatistics(): Statistics {
  return {
    connections: 0,
    sessions: 0,
    onlineUsers: 0,
    residentConversations: 0,
    watchedUsers: 0,
    messagesStored: 0,
    messagesDuplicate: 0,
    messagesPushed: 0,
    acks: 0,
    receiptsPushed: 0,
    commits: 0,
    commitSeconds: 0,
    waitingBytes: 0,
    outboxBytes: 0,
    commitFailures: 0,
    syncPages: 0,
    comparisons: 0,
    movedToPull: 0,
    errors: 0,
  };
}
