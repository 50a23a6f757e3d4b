import type { Client } from "./api.ts";
import { type CoreOptions, HongyanClient } from "./client.ts";
import type { ClientPorts } from "./ports.ts";

/** A client on given ports: for simulators, tests and unusual platforms. Deterministic if the ports are. */
export function createClientOn(ports: ClientPorts, options: CoreOptions): Client {
  return new HongyanClient(ports, options);
}
