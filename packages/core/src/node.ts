import { ProtocolError } from "@hongyan/protocol";
import { Admission } from "./admission.ts";
import type { Backend } from "./backend.ts";
import { BacklogRoom } from "./backlog.ts";
import { Committer } from "./committer.ts";
import { Conversations } from "./conversations.ts";
import { isDamaged } from "./damage.ts";
import { Delivery } from "./delivery.ts";
import { DomainBackend } from "./domain-backend.ts";
import { Drain, sendAway } from "./drain.ts";
import type { NodeEvent } from "./event.ts";
import { Membership } from "./membership.ts";
import { Memberships } from "./memberships.ts";
import type { NodeContext } from "./node-context.ts";
import { Outboxes } from "./outboxes.ts";
import { Pages } from "./pages.ts";
import { Peer } from "./peer.ts";
import type {
  Acceptor,
  Authenticator,
  Broker,
  Clock,
  Connection,
  Inbound,
  Journal,
  Random,
  Store,
} from "./ports.ts";
import { Presence } from "./presence.ts";
import { Receipts } from "./receipts.ts";
import { Recovery } from "./recovery.ts";
import { Repair } from "./repair.ts";
import { Sessions } from "./sessions.ts";
import type { Settings } from "./settings.ts";
import { emptyStatistics, type Statistics } from "./statistics.ts";
import { Turns } from "./turns.ts";

export interface NodeOptions {
  /** Name of this node, unique in its cluster. */
  readonly name: string;
  readonly store: Store;
  readonly broker: Broker<NodeEvent>;
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly authenticator: Authenticator;
  readonly settings: Settings;
  /** Present where other nodes use the same store. Absent: nobody else writes, and no event is lost. */
  readonly cluster?: Cluster | undefined;
}

export interface Cluster {
  /** Every user with a session here is compared with the store once in so long: what a lost event costs at most. */
  readonly repairEveryMs: number;
}

/** How many peers one tick looks at: with more, each is looked at every few ticks. */
const peersPerTick = 2000;
/** The least time after which those who were sent away are to come back. */
const comeBackMs = 1000;
/** Handshakes begun in one tick. */
const handshakesPerTick = 8;

/** One server process, seen from inside: takes connections, and whatever a backend asks for. */
export class Node implements Acceptor {
  readonly statistics: Statistics = emptyStatistics();
  readonly #context: NodeContext & { repair: Repair | undefined };
  readonly #recovery: Recovery;
  readonly #peers: Peer[] = [];
  #nextPeer = 0;
  #drain: Drain | undefined;
  #closing = false;

  constructor(options: NodeOptions) {
    const { clock, store, broker, random, journal, settings } = options;
    const conversations = new Conversations(store, settings.residentConversationsMax);
    const memberships = new Memberships(store, settings.residentConversationsMax);
    const admission = new Admission(clock, settings.connectsPerSecond);
    let recovery: Recovery | undefined;
    const parts = {
      ...options,
      statistics: this.statistics,
      conversations,
      memberships,
      handshakes: new Turns((work) => clock.defer(work), handshakesPerTick),
      pages: new Pages(),
      outboxes: new Outboxes(settings.outboxBytesTotal, settings.outboxBytesMax),
      backlogs: new BacklogRoom(settings.backlogConversationsMax),
      committer: new Committer(store, clock, journal, this.statistics, {
        failed: () => recovery?.failed(),
        written: (key) => memberships.written(key),
      }),
      isClosing: () => this.#closing,
      admit: () => (this.#closing ? settings.heartbeatMs : admission.admit()),
      forget: (peer: Peer) => this.#forget(peer),
      asRefusal: (error: unknown) => asRefusal(error, journal),
    };
    // The parts know each other through the context only; these need it to be made.
    const context = parts as typeof parts & { -readonly [K in keyof NodeContext]: NodeContext[K] };
    context.delivery = new Delivery(context, broker);
    context.presence = new Presence(context, broker, options.cluster?.repairEveryMs);
    context.sessions = new Sessions(broker, clock, random, context.delivery.deliver, context.presence);
    context.receipts = new Receipts(context);
    context.membership = new Membership(context);
    recovery = new Recovery(context);
    this.#recovery = recovery;
    this.#context = context;
    if (options.cluster !== undefined) this.share(options.cluster);
  }

  /** From now on other nodes may use the same store. Nobody else has written to it before. */
  share({ repairEveryMs }: Cluster): void {
    this.#context.conversations.share();
    this.#context.memberships.share();
    this.#context.repair ??= new Repair(this.#context, repairEveryMs);
  }

  accept(connection: Connection): Inbound {
    const peer = new Peer(this.#context, connection);
    peer.place = this.#peers.length;
    this.#peers.push(peer);
    if (this.#closing || this.#drain !== undefined) peer.close("going_away", comeBackMs);
    return peer;
  }

  /** What a backend may do in `domain`. */
  backend(domain: string): Backend {
    return new DomainBackend(this.#context, domain);
  }

  /** The broker knows that it has lost events for this node, or has been away: what was missed is found in the store. */
  missed(): void {
    this.#context.repair?.missed();
    this.#context.presence.missed();
  }

  /** To be called about every 100 ms: expiry, repetitions, receipts. */
  tick(): void {
    const { repair, receipts, presence, sessions, conversations, committer, outboxes, settings, statistics } =
      this.#context;
    this.#recovery.tick();
    repair?.tick();
    this.#drain?.tick();
    receipts.flush();
    sessions.expire(settings.sessionGraceMs);
    presence.tick();
    conversations.sweep();
    outboxes.relieve();
    for (let i = Math.min(this.#peers.length, peersPerTick); i > 0 && this.#peers.length > 0; i--) {
      if (this.#nextPeer >= this.#peers.length) this.#nextPeer = 0;
      this.#look(this.#peers[this.#nextPeer++] as Peer);
    }
    statistics.connections = this.#peers.length;
    statistics.sessions = sessions.count;
    statistics.onlineUsers = sessions.users;
    statistics.residentConversations = conversations.size;
    statistics.watchedUsers = presence.watchedUsers;
    statistics.waitingBytes = committer.waitingBytes;
    statistics.outboxBytes = outboxes.bytes;
  }

  /**
   * For a node among others: lets nobody in any more, and sends everybody away, so many percent of them per second,
   * while the others are served. Resolves when nobody is left; `close` follows.
   */
  drain(percentPerSecond: number): Promise<void> {
    this.#drain = new Drain(this.#context.committer, [...this.#peers], percentPerSecond);
    return this.#drain.done;
  }

  /**
   * Takes no more commands, waits until those that were taken are committed and answered, and sends everybody away.
   * They are told to come back as fast as a node lets them in. The store stays open: it is its owner's.
   */
  async close(): Promise<void> {
    this.#closing = true;
    // Who sends without waiting would keep the committer busy for ever.
    for (const peer of [...this.#peers]) peer.leave();
    await this.#context.committer.idle();
    const { connectsPerSecond } = this.#context.settings;
    sendAway([...this.#peers], (place) => comeBackMs + Math.floor((place * 1000) / connectsPerSecond));
  }

  #look(peer: Peer): void {
    const { clock, settings, delivery } = this.#context;
    const now = clock.now();
    if (peer.heardAtMs > now) peer.heardAtMs = now;
    const silentMs = now - peer.heardAtMs;
    const { session } = peer;
    if (session === undefined) {
      if (silentMs > settings.connectTimeoutMs) peer.close("connect_timeout");
      return;
    }
    // Held connections end by themselves when nobody polls; their polls are no frames.
    const isHeld = peer.connection.transport === "poll" || peer.connection.transport === "stream";
    if (!isHeld && silentMs > 2.5 * settings.heartbeatMs) return peer.close("heartbeat_timeout");
    if (now >= session.identity.expiresAt) return peer.close("token_expired");
    delivery.repeat(session);
  }

  /** Constant time: the last peer takes the place. */
  #forget(peer: Peer): void {
    const last = this.#peers.pop();
    if (last === undefined || last === peer) return;
    this.#peers[peer.place] = last;
    last.place = peer.place;
  }
}

function asRefusal(error: unknown, journal: Journal): ProtocolError {
  if (error instanceof ProtocolError) return error;
  // The store has told the journal, once; whoever asks again gets the same.
  if (isDamaged(error))
    return new ProtocolError("internal", "a part of this log is lost; the server's log says which", 60_000);
  journal.warn("command failed", {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return new ProtocolError("unavailable", undefined, 1000);
}
