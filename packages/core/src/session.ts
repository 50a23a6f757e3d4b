import type { FrameNamed } from "@hongyan/protocol";
import { Backlog, type BacklogRoom } from "./backlog.ts";
import type { Peer } from "./peer.ts";
import type { Identity } from "./ports.ts";

/** What was pushed to a session in one conversation and is not acknowledged yet. */
export interface Window {
  /** Highest seq pushed. */
  pushed: number;
  /** When the first unacknowledged push, or the last repetition, was written. */
  sinceMs: number;
  repeats: number;
}

/**
 * A device's logical presence. It survives its connections for a while, so that a device that comes back
 * (`resume`) continues where it was. Kept small: there is one per device online.
 */
export class Session {
  readonly id: string;
  readonly identity: Identity;
  readonly device: string;
  readonly platform: string | undefined;
  /** The live connection; undefined while the device is away. */
  peer: Peer | undefined;
  /** When the connection was lost. */
  awaySinceMs = 0;
  /**
   * Pull instead of push: pushes were left out, and the device reads after its cursors until a `sync` comes to
   * the end. A new session begins so, because what waits for it is read, not pushed (G8).
   */
  behind = true;
  /** When the device was last told that it is behind, or showed that it knows; undefined while it was not. */
  toldBehindMs: number | undefined;
  /** Unacknowledged pushes by conversation; absent for a device that has acknowledged everything. */
  windows: Map<string, Window> | undefined;
  /** The last client message id accepted per conversation on this session, for `after`. */
  chains: Map<string, string> | undefined;
  /** The `Committer.generation` that `chains` belongs to. */
  chainGeneration = 0;
  /** Messages that wait for an answer of the log about the message before them, by conversation. */
  lookups: Map<string, { readonly peer: Peer; readonly command: FrameNamed<"send"> }[]> | undefined;
  /** Whether the device is known, or the way to it; undefined until somebody asks. */
  introduction: Promise<void> | "done" | undefined;
  /** The session that the device says it had before, on whichever node. */
  readonly before: string | undefined;
  /**
   * What the session claims its device as, and what the device is told as its id: another one after each `resume`, so
   * that wherever the device names it next, this very claim is known to be older.
   */
  claimId: string;
  /** What the device has last named the session: it may not have heard of `claimId`. */
  knownAs: string | undefined;
  /** The version of the device's record that names this session, once the store has given it the device. */
  claim: number | "under way" | "failed" | undefined;
  /** Positions that the device was told of, added up by conversation; only where events may be lost. */
  told: Map<string, number> | undefined;
  /** Where the device has everything and everybody has read it, and up to which entry; only where events may be lost. */
  settled: Map<string, number> | undefined;
  /** Subjects of the users whose presence the device watches, in the order in which it last named them. */
  watching: Set<string> | undefined;
  /** Where there is something left to read, once a page was read; absent where it is not known or nothing is left. */
  backlog: Backlog | undefined;
  /** Receipt pushes so far: `ordinal` of the last one. */
  receipts = 0;

  constructor(
    id: string,
    identity: Identity,
    device: string,
    platform: string | undefined,
    before: string | undefined,
  ) {
    this.id = id;
    this.identity = identity;
    this.device = device;
    this.platform = platform;
    this.before = before;
    this.claimId = id;
  }

  /** From now on the device pulls; what was pushed and not acknowledged comes with its next `sync`. */
  fallBehind(): void {
    this.behind = true;
    this.toldBehindMs = undefined;
    this.windows = undefined;
    this.told = undefined;
    this.settled = undefined;
    this.forgetBacklog();
  }

  /** From now on a new backlog is told of what is left out; everything before is to be found by a look at all. */
  beginBacklog(room: BacklogRoom): Backlog {
    this.forgetBacklog();
    this.backlog = new Backlog(room);
    return this.backlog;
  }

  /** The next page looks at all conversations. */
  forgetBacklog(): void {
    this.backlog?.close();
    this.backlog = undefined;
  }
}
