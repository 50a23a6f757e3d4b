import type { Outgoing } from "./outgoing.ts";
import { PollConnection } from "./poll-connection.ts";
import type { Endpoint, Receiver } from "./receiver.ts";
import { SocketConnection } from "./socket-connection.ts";

export type Connection = Outgoing & { close(): void };

export function openConnection(endpoint: Endpoint, receiver: Receiver): Connection {
  return endpoint.transport === "poll"
    ? new PollConnection(endpoint, receiver)
    : new SocketConnection(endpoint, receiver);
}
