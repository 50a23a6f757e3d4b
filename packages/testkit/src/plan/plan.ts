import type { Encoding } from "@hongyan/protocol";
import type { DiskConditions } from "../disk/disk.ts";
import type { Conditions } from "../network/conditions.ts";

export interface PlannedDevice {
  readonly domain: string;
  readonly user: string;
  readonly device: string;
  readonly encoding: Encoding;
  /** Devices that come later find a history. */
  readonly startsAtMs: number;
  /** Left out of a shrunk run. */
  readonly isAbsent: boolean;
  /** How long the application takes for one message, at most. */
  readonly handlerMsMax: number;
}

export interface PlannedGroup {
  readonly domain: string;
  readonly conversation: string;
  readonly open: boolean;
  readonly members: readonly string[];
}

/** What somebody does, or what befalls them. `device` is an index into the plan's devices. */
export type Action = { readonly atMs: number } & (
  | {
      readonly kind: "send";
      readonly device: number;
      readonly conversation: string;
      readonly bytes: number;
      readonly count: number;
    }
  | {
      readonly kind: "backendSend";
      readonly domain: string;
      readonly conversation: string;
      readonly from: string;
      readonly times: number;
    }
  | { readonly kind: "read"; readonly device: number; readonly conversation: string; readonly share: number }
  /** Somebody else's program speaks for the user: sends twice what was sent before, and the same id with another body. */
  | { readonly kind: "raw"; readonly domain: string; readonly user: string; readonly conversation: string }
  | {
      readonly kind: "member";
      readonly change: "add" | "remove";
      readonly domain: string;
      readonly conversation: string;
      readonly user: string;
    }
  | {
      readonly kind: "leave" | "join" | "rename" | "older";
      readonly device: number;
      readonly conversation: string;
    }
  | {
      readonly kind: "create";
      readonly device: number;
      readonly conversation: string;
      readonly members: readonly string[];
    }
  | { readonly kind: "offline"; readonly device: number; readonly forMs: number }
  | { readonly kind: "crashDevice" | "restartDevice"; readonly device: number; readonly forMs: number }
  | { readonly kind: "crashServer"; readonly forMs: number }
  /** One of several servers: the others live on. */
  | { readonly kind: "crashNode" | "cutBroker"; readonly node: number; readonly forMs: number }
  | {
      readonly kind: "cut";
      readonly device: number;
      readonly clientAfterMs: number;
      readonly serverAfterMs: number;
    }
  | {
      readonly kind: "halfOpen";
      readonly device: number;
      readonly direction: "up" | "down" | "both";
      readonly forMs: number;
    }
  | { readonly kind: "slow"; readonly device: number; readonly forMs: number }
  /** Device -1: the server's clock. */
  | { readonly kind: "clock"; readonly device: number; readonly byMs: number }
  | { readonly kind: "disk"; readonly forMs: number; readonly conditions: DiskConditions }
);

/** How the broker between nodes treats an event on its way to one of them. */
export interface BrokerConditions {
  /** What a node tells itself arrives at once and for certain; else it goes the way of the others. */
  readonly isDirect: boolean;
  readonly latencyMsMax: number;
  readonly drop: number;
  readonly duplicate: number;
  /** Probability that an event is held up, and for how long at most: later events overtake it. */
  readonly hold: number;
  readonly holdMsMax: number;
}

/** All that a simulated world goes through: drawn from a seed, cut down by a mask, and then only executed. */
export interface Plan {
  readonly seed: number;
  readonly domains: readonly string[];
  readonly devices: readonly PlannedDevice[];
  readonly groups: readonly PlannedGroup[];
  /** Servers. One has its store in its process; several share one. */
  readonly nodes: number;
  readonly broker: BrokerConditions;
  readonly repairEveryMs: number;
  /** From a node to a store that it shares. */
  readonly storeLatencyMsMax: number;
  readonly conditions: Conditions;
  readonly disk: DiskConditions;
  readonly outboxBytesMax: number;
  readonly outboxBytesClose: number;
  readonly sessionGraceMs: number;
  /** In the order of time. */
  readonly actions: readonly Action[];
  /** How many there are before the mask. */
  readonly actionsDrawn: number;
  readonly durationMs: number;
}
