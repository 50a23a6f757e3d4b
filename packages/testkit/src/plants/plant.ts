import type { Storage } from "@hongyan/client";
import type { Broker, Cluster, Connection, Inbound, NodeEvent, Store } from "@hongyan/core";
import type { DeviceId, Guarantee } from "../checkers/observations.ts";

/**
 * A bug on purpose: a wrapper around one port of the production code, which shows that a checker can object. One
 * object per world: it may keep state.
 */
export interface Plant {
  /** The guarantees it breaks: what a checker may object to. */
  readonly breaks: readonly Guarantee[];
  store?(store: Store): Store;
  broker?(broker: Broker<NodeEvent>): Broker<NodeEvent>;
  /** Of a world with several nodes. */
  cluster?(cluster: Cluster): Cluster;
  connection?(connection: Connection, device: DeviceId): Connection;
  inbound?(inbound: Inbound, device: DeviceId, connection: Connection): Inbound;
  /** Around the storage of a device. */
  storage?(storage: Storage, device: DeviceId): Storage;
  /** The handler that the client is given returns before the application is done. */
  readonly handlerIsNotAwaited?: boolean;
  /** The disk says that it is done before it is. */
  readonly diskLies?: boolean;
}
