/** Running totals of a broker since it was opened, and how it is now. */
export interface NatsStatistics {
  /** Whether NATS is there at the moment. */
  connected: boolean;
  /** How often it came back. */
  reconnects: number;
  /** Events that `publish` took, and messages of NATS that carried them. */
  eventsPublished: number;
  messagesSent: number;
  /** Events that did not leave: NATS was away, or took less than was published. */
  eventsDropped: number;
  /** Events of other nodes that were handed to subscribers, whoever of them is here. */
  eventsReceived: number;
  /** Messages of other nodes that could not be read, and those of a version or kind that this node does not know. */
  malformed: number;
  unknown: number;
  /** How often a subscriber threw. */
  receiverFailures: number;
  /** How often the node was told that it has missed something. */
  gaps: number;
  /** Other nodes that have the name of this one: there should be none. */
  namesakes: number;
  /** Bytes that NATS has not confirmed to have. */
  unconfirmedBytes: number;
}

export function emptyStatistics(): NatsStatistics {
  return {
    connected: true,
    reconnects: 0,
    eventsPublished: 0,
    messagesSent: 0,
    eventsDropped: 0,
    eventsReceived: 0,
    malformed: 0,
    unknown: 0,
    receiverFailures: 0,
    gaps: 0,
    namesakes: 0,
    unconfirmedBytes: 0,
  };
}
