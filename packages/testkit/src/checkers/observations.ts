import type { Frame, UnknownFrame } from "@hongyan/protocol";
import type { DiskWrite } from "../disk/disk.ts";
import type { LedgerEntry } from "../ledger/entry.ts";
import type { Marker } from "../ledger/marker.ts";

export interface DeviceId {
  readonly domain: string;
  readonly user: string;
  readonly device: string;
}

export function deviceKey({ domain, user, device }: DeviceId): string {
  return `${domain}/${user}/${device}`;
}

/** One connection as the checkers see it; another object for every connection. */
export interface LinkView {
  readonly device: DeviceId;
  /** Bytes that the node has written and the client has neither received nor lost. */
  readonly queuedBytes: number;
}

/** A message as the client's engine handed it to the application. */
export interface HandedMessage {
  readonly conversation: string;
  readonly seq: number;
  readonly from: string;
  readonly clientMessageId: string;
  readonly body?: Uint8Array | undefined;
}

/** Everything that happens in a world and that a checker may judge. A checker implements what it needs. */
export interface Observations {
  /** A batch of the disk survives any crash from now on. */
  durable?(writes: readonly DiskWrite[]): void;
  /** The store has told its caller that the entry is stored. */
  stored?(domain: string, conversation: string, entry: LedgerEntry): void;
  /** The store has told its caller that a key was stored before, at `seq`. */
  duplicate?(domain: string, conversation: string, entry: LedgerEntry): void;
  /** After a crash of the server, before it runs again: the whole log as the disk has it. */
  recovered?(domain: string, conversation: string, entries: readonly LedgerEntry[]): void;
  /** The client sends. */
  up?(link: LinkView, frame: Frame): void;
  /** The node writes, before anything can happen to it on the way. */
  written?(link: LinkView, frame: Frame): void;
  /** The client receives. */
  down?(link: LinkView, frame: Frame | UnknownFrame): void;
  /** The application has sent; the client has taken it over, durably. */
  accepted?(device: DeviceId, marker: Marker): void;
  /** The client has told the application that the message will never be stored. */
  refused?(device: DeviceId, marker: Marker, reason: string): void;
  /** The client has told the application that the message is stored. */
  told?(device: DeviceId, marker: Marker, seq: number): void;
  /** The application has taken the message over. */
  handed?(device: DeviceId, message: HandedMessage): void;
  /** The client shows the application the positions of a user. */
  receiptShown?(device: DeviceId, conversation: string, user: string, delivered: number, read: number): void;
  /** The device's program has ended; it will continue at the position that its storage has kept. */
  deviceCrashed?(device: DeviceId, position: (conversation: string) => number): void;
}

export type Guarantee = "G1" | "G2" | "G3" | "G4" | "G5" | "G8" | "G10" | "membership" | "liveness" | "crash";

/** Where a checker objects. The first objection ends the run. */
export interface Bench {
  object(guarantee: Guarantee, objection: string): void;
  /**
   * Looks again after the ledger has been brought up to date with the disk: what is durable may be read before
   * the store has told anybody that it is.
   */
  doubt(check: () => void): void;
}
