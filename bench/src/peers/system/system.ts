/** A messaging server that is compared: how it is got, started and spoken to, and what its acknowledgement means. */
import type { PeerEndpoint } from "../peer-client.ts";

export type ScenarioName = "direct" | "fanout" | "idle" | "backlog" | "storm" | "trace";

/** What a server must know before the load comes. */
export interface Setup {
  readonly users: readonly string[];
  readonly groups: readonly { readonly name: string; readonly members: readonly string[] }[];
  /** Connections that it must be able to hold. */
  readonly connections: number;
  /** Nothing but memory is measured: garbage can be collected, nothing times out. */
  readonly isIdle: boolean;
}

/** A server in processes of its own, on ports of its own and a temporary directory. */
export interface PeerServer {
  readonly endpoint: PeerEndpoint;
  /** The root of its processes. */
  readonly pid: number;
  /** Resolves once it listens; after `kill` it comes back with the same data on the same port. */
  start(): Promise<void>;
  /** SIGKILL to all of its processes. */
  kill(): Promise<void>;
  /** Kills what runs and deletes everything. */
  remove(): Promise<void>;
  /** Undefined where the program does not let itself be told. */
  readonly collectGarbage: (() => void) | undefined;
}

/** What `--peers` names: one program, in one or more variants. */
export interface Peer {
  readonly name: string;
  /** Installs what is missing. Throws where it cannot be had. */
  install(say: (line: string) => void): Promise<void>;
  /** The version that is installed. Throws where the program does not run. */
  version(): Promise<string>;
  readonly systems: readonly System[];
}

export interface System {
  /** `mosquitto qos1` */
  readonly name: string;
  /** The message is on disk, synchronised, when its sender gets the acknowledgement. */
  readonly durable: boolean;
  /** What the acknowledgements mean, in one sentence. */
  readonly acknowledgement: string;
  /** Scenarios that it has no answer to, and why. */
  readonly without?: Partial<Record<ScenarioName, string>>;
  /** Why this variant cannot be had although the program is there. */
  missing?(): Promise<string | undefined>;
  server(setup: Setup): PeerServer;
}
