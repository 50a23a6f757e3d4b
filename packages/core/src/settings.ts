/** Named bounds of one node. The server fills them from its configuration; the simulator makes them small. */
export interface Settings {
  /** The server pings out a connection after 2.5 times this. */
  readonly heartbeatMs: number;
  /** Time for the first frame to be a valid `connect`. */
  readonly connectTimeoutMs: number;
  /** How long a session outlives its connection, for `resume`. */
  readonly sessionGraceMs: number;
  /** A push that is not acknowledged for so long is pushed again. */
  readonly repushAfterMs: number;
  /** Receipts to one sender are collected for so long. */
  readonly receiptsEveryMs: number;
  /** Groups above this size do not push receipts; they are pulled. */
  readonly receiptsPushMembersMax: number;
  /** Bytes queued on a connection beyond which it is moved from push to pull. */
  readonly outboxBytesMax: number;
  /** Bytes queued beyond which even replies have no room, and the connection is closed. */
  readonly outboxBytesClose: number;
  /** Bytes queued on all connections together beyond which those that hold most are closed. */
  readonly outboxBytesTotal: number;
  /** Bytes waiting for the store beyond which new sends are refused as `overloaded`. */
  readonly commitBytesMax: number;
  readonly bodyBytesMax: number;
  readonly membersMax: number;
  /** Whether users may create groups themselves, and see who else is in the domain. */
  readonly usersCreateGroups: boolean;
  readonly userDirectory: boolean;
  /** Whether users may see who is online. */
  readonly presence: boolean;
  /** Handshakes admitted per second; the others are told when to come back. */
  readonly connectsPerSecond: number;
  /** Conversations with something left to read that sessions remember between two pages of `sync`, all together. */
  readonly backlogConversationsMax: number;
  /** Resident conversations; and entries in the remembered lists of users' conversations, all together. */
  readonly residentConversationsMax: number;
}
