/** The broker between nodes over core NATS. */
export { BrokerError, type BrokerErrorCode } from "./broker-error.ts";
export { NatsBroker } from "./nats-broker.ts";
export type { NatsOptions } from "./options.ts";
export type { NatsStatistics } from "./statistics.ts";
