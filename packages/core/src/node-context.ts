/** What handlers and leaves may use of the node: its parts, not the facade. */
import type { ProtocolError } from "@hongyan/protocol";
import type { BacklogRoom } from "./backlog.ts";
import type { Committer } from "./committer.ts";
import type { Conversations } from "./conversations.ts";
import type { Delivery } from "./delivery.ts";
import type { Membership } from "./membership.ts";
import type { Memberships } from "./memberships.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Pages } from "./pages.ts";
import type { Peer } from "./peer.ts";
import type { Authenticator, Clock, Journal, Random, Store } from "./ports.ts";
import type { Presence } from "./presence.ts";
import type { Receipts } from "./receipts.ts";
import type { Repair } from "./repair.ts";
import type { Sessions } from "./sessions.ts";
import type { Settings } from "./settings.ts";
import type { Statistics } from "./statistics.ts";
import type { Turns } from "./turns.ts";

export interface NodeContext {
  readonly name: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly authenticator: Authenticator;
  readonly settings: Settings;
  readonly statistics: Statistics;
  readonly committer: Committer;
  readonly conversations: Conversations;
  readonly sessions: Sessions;
  readonly delivery: Delivery;
  readonly receipts: Receipts;
  readonly presence: Presence;
  readonly membership: Membership;
  readonly memberships: Memberships;
  readonly handshakes: Turns;
  readonly pages: Pages;
  readonly outboxes: Outboxes;
  readonly backlogs: BacklogRoom;
  /** Present where other nodes use the same store: what is in memory may be behind it, and events may be lost. */
  readonly repair: Repair | undefined;
  /** The node takes no more work. */
  isClosing(): boolean;
  /** Milliseconds until a handshake has room, 0 if it is admitted now. */
  admit(): number;
  /** The peer's connection is gone. */
  forget(peer: Peer): void;
  /** What a failed piece of work is called on the wire; unexpected errors go to the journal. */
  asRefusal(error: unknown): ProtocolError;
}
