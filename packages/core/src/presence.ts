import { limits, ProtocolError, SharedFrame } from "@hongyan/protocol";
import type { NodeEvent } from "./event.ts";
import { nodeSubject, presenceSubject } from "./keys.ts";
import type { NodeContext } from "./node-context.ts";
import type { Broker, Identity } from "./ports.ts";
import type { Session } from "./session.ts";
import type { SessionWatcher } from "./sessions.ts";
import { Whereabouts } from "./whereabouts.ts";

/** Somebody who has left is told of after so long: a device that comes and goes is not news for everybody each time. */
const smoothMs = 1000;
/** Users who are watched on one node; more are refused. */
const watchedUsersMax = 100_000;
/** Rounds of asking that a node may leave without an answer. */
const silentRoundsMax = 2;
/** Users asked for in one tick where events were missed. */
const askedPerTickMax = 1000;

/** What another node has last said of a user. */
interface Elsewhere {
  readonly turn: number;
  readonly online: boolean;
  /** The round in which it did. */
  readonly round: number;
}

/** A user whom sessions of this node watch. */
interface Watched {
  readonly domain: string;
  readonly user: string;
  readonly subject: string;
  readonly watchers: Set<Session>;
  /** By node. */
  readonly elsewhere: Map<string, Elsewhere>;
  /** What the watchers know. */
  told: boolean;
  /** Since when it is not so any more. */
  goneAtMs: number | undefined;
}

/**
 * Who is online: whoever has a session, on whichever node, all devices as one. It is derived and stored nowhere, so
 * that it cannot outlive what it is derived from. A session outlives its connection for a while, so that a short gap
 * shows nobody as gone.
 *
 * Between nodes a change is an event, which may be lost, doubled or overtaken, and a node that dies tells nothing. So
 * whoever is watched is asked for once in `everyMs`, spread over that time, and a node that has left two rounds without
 * an answer does not count: no ghosts. Rounds are counted and not time, so that a clock that jumps, or a process that
 * stood still, makes nobody disappear.
 */
export class Presence implements SessionWatcher {
  readonly #node: NodeContext;
  readonly #broker: Broker<NodeEvent>;
  /** Undefined where there are no other nodes. */
  readonly #everyMs: number | undefined;
  readonly #whereabouts: Whereabouts;
  /** By subject. */
  readonly #watched = new Map<string, Watched>();
  readonly #changed = new Set<Watched>();
  /** Watchers who could not be told, and will be told everything. */
  readonly #owed = new Set<Session>();
  #round = 0;
  #beganAtMs: number;
  /** Who is asked for in this round; the first `#asked` were. */
  #asking: Watched[] = [];
  #asked = 0;
  /** Nobody of this round waits for their share of the time. */
  #isHurried = false;
  /** Events were missed: everybody is asked for anew once this round was; begun again each time it would never end. */
  #isMissed = false;

  constructor(node: NodeContext, broker: Broker<NodeEvent>, everyMs: number | undefined) {
    this.#node = node;
    this.#broker = broker;
    this.#everyMs = everyMs;
    this.#whereabouts = new Whereabouts(node, broker);
    this.#beganAtMs = node.clock.now();
    if (everyMs !== undefined) broker.subscribe(nodeSubject(this.#whereabouts.id), this.#heard);
  }

  get watchedUsers(): number {
    return this.#watched.size;
  }

  /** Those of the users who are online; waits for other nodes where there are any. */
  async online(domain: string, users: readonly string[]): Promise<readonly string[]> {
    const isHere = (user: string) => this.#node.sessions.of(domain, user).length > 0;
    if (this.#everyMs === undefined) return users.filter(isHere);
    const absent = users.filter((user) => !isHere(user));
    const elsewhere = await this.#whereabouts.ask(domain, absent);
    return users.filter((user) => elsewhere.has(user) || isHere(user));
  }

  /**
   * From now on the session is told when one of these changes; of those it named last. Returns who is online. Rejects
   * with `ProtocolError` `overloaded` where too many are watched here.
   */
  async watch(session: Session, users: readonly string[]): Promise<readonly string[]> {
    const { domain, user: own } = session.identity;
    // A session that has ended meanwhile would never be forgotten.
    if (!this.#node.sessions.of(domain, own).includes(session)) return [];
    const fresh = users.filter((user) => !this.#watched.has(presenceSubject(domain, user)));
    if (this.#watched.size + fresh.length > watchedUsersMax)
      throw new ProtocolError("overloaded", "too many users are watched on this server", 60_000);
    session.watching ??= new Set();
    const reachable: Promise<void>[] = [];
    for (const user of users) {
      const subject = presenceSubject(domain, user);
      session.watching.delete(subject);
      session.watching.add(subject);
      const subscribed = this.#add(session, domain, user, subject);
      if (subscribed !== undefined) reachable.push(subscribed);
    }
    for (const subject of session.watching) {
      if (session.watching.size <= limits.watchedMax) break;
      session.watching.delete(subject);
      this.#unwatch(session, subject);
    }
    if (this.#everyMs !== undefined) {
      // Asked once what others tell will be heard: what changes in between is not missed.
      await Promise.all(reachable);
      await this.#whereabouts.ask(domain, users);
    }
    return users.filter((user) => {
      const watched = this.#watched.get(presenceSubject(domain, user));
      // The session has gone, or watches others by now.
      if (watched === undefined || !watched.watchers.has(session)) return false;
      // So that the next change is one from what this session is told now.
      this.#tell(watched);
      return watched.told;
    });
  }

  changed({ domain, user }: Identity, online: boolean): void {
    const subject = presenceSubject(domain, user);
    const watched = this.#watched.get(subject);
    if (watched !== undefined) this.#changed.add(watched);
    const { settings } = this.#node;
    if (this.#everyMs !== undefined && settings.presence)
      this.#whereabouts.tell(subject, domain, [user], online);
  }

  resumed(session: Session): void {
    // What was written to the old connection may be lost.
    if (session.watching !== undefined) this.#owed.add(session);
  }

  ended(session: Session): void {
    this.#owed.delete(session);
    const { watching } = session;
    session.watching = undefined;
    for (const subject of watching ?? []) this.#unwatch(session, subject);
  }

  /** A node asks where the session's user is. */
  asked(session: Session, node: string): void {
    this.#whereabouts.asked(session, node);
  }

  /** Events were missed for certain: everybody who is watched is asked for as soon as it can be. */
  missed(): void {
    this.#isMissed = true;
  }

  /** To be called every tick. */
  tick(): void {
    const now = this.#node.clock.now();
    this.#whereabouts.tick();
    if (this.#everyMs !== undefined) this.#askAgain(now, this.#everyMs);
    for (const watched of this.#changed) this.#tell(watched);
    for (const session of this.#owed) if (this.#hasRoom(session)) this.#tellAll(session);
  }

  #add(session: Session, domain: string, user: string, subject: string): Promise<void> | undefined {
    const known = this.#watched.get(subject);
    if (known !== undefined) {
      known.watchers.add(session);
      return undefined;
    }
    const told = this.#node.sessions.of(domain, user).length > 0;
    const watchers = new Set([session]);
    const watched = { domain, user, subject, watchers, elsewhere: new Map(), told, goneAtMs: undefined };
    this.#watched.set(subject, watched);
    return this.#everyMs === undefined ? undefined : this.#broker.subscribe(subject, this.#heard);
  }

  #unwatch(session: Session, subject: string): void {
    const watched = this.#watched.get(subject);
    if (watched === undefined) return;
    watched.watchers.delete(session);
    if (watched.watchers.size > 0) return;
    this.#watched.delete(subject);
    this.#changed.delete(watched);
    if (this.#everyMs !== undefined) this.#broker.unsubscribe(subject);
  }

  /** What another node says of its users. */
  readonly #heard = (event: NodeEvent): void => {
    if (event.kind !== "online" || event.node === this.#whereabouts.id) return;
    const { node, turn, online } = event;
    for (const user of event.users) {
      const subject = presenceSubject(event.domain, user);
      if (online) this.#whereabouts.heard(subject);
      const watched = this.#watched.get(subject);
      if (watched === undefined || (watched.elsewhere.get(node)?.turn ?? 0) >= turn) continue;
      watched.elsewhere.set(node, { turn, online, round: this.#round });
      this.#changed.add(watched);
    }
  };

  /** Everybody who is watched, once in so long; what a node has said that is silent since does not count any more. */
  #askAgain(now: number, everyMs: number): void {
    if (this.#beganAtMs > now) this.#beganAtMs = now;
    if (this.#asked >= this.#asking.length) this.#begin(now, everyMs);
    const { length } = this.#asking;
    const isAtOnce = this.#isHurried || this.#isMissed;
    const share = isAtOnce ? 1 : Math.min(1, (now - this.#beganAtMs) / everyMs);
    const end = Math.min(Math.ceil(length * share), this.#asked + askedPerTickMax);
    while (this.#asked < end) this.#askFor(this.#asking[this.#asked++] as Watched);
  }

  /** Asks for everybody again, where it is time to or events were missed; only the former counts as a round. */
  #begin(now: number, everyMs: number): void {
    const isDue = now - this.#beganAtMs >= everyMs;
    if (!isDue && !this.#isMissed) return;
    if (isDue) {
      this.#round++;
      this.#beganAtMs = now;
    }
    this.#isHurried = this.#isMissed;
    this.#isMissed = false;
    this.#asked = 0;
    this.#asking = [...this.#watched.values()];
  }

  #askFor(watched: Watched): void {
    const { domain, user, subject, elsewhere } = watched;
    if (this.#watched.get(subject) !== watched) return;
    for (const [node, { round }] of elsewhere)
      if (this.#round - round > silentRoundsMax) {
        elsewhere.delete(node);
        this.#changed.add(watched);
      }
    this.#whereabouts.askFor(domain, user);
  }

  #tell(watched: Watched): void {
    const { domain, user, watchers, elsewhere } = watched;
    const isElsewhere = () => elsewhere.values().some(({ online }) => online);
    const online = this.#node.sessions.of(domain, user).length > 0 || isElsewhere();
    if (online === watched.told) {
      watched.goneAtMs = undefined;
      this.#changed.delete(watched);
      return;
    }
    if (!online && !this.#hasGone(watched)) return;
    watched.goneAtMs = undefined;
    this.#changed.delete(watched);
    watched.told = online;
    const frame = new SharedFrame({ type: "online", id: 0, user, online });
    for (const session of watchers) {
      if (this.#hasRoom(session)) session.peer?.write(frame);
      else this.#owed.add(session);
    }
  }

  /** Whether somebody is away for long enough to be told of. */
  #hasGone(watched: Watched): boolean {
    const now = this.#node.clock.now();
    // A clock that jumped back begins anew.
    watched.goneAtMs = Math.min(watched.goneAtMs ?? now, now);
    return now - watched.goneAtMs >= smoothMs;
  }

  #tellAll(session: Session): void {
    this.#owed.delete(session);
    for (const subject of session.watching ?? []) {
      const watched = this.#watched.get(subject);
      if (watched === undefined) continue;
      session.peer?.push({ type: "online", id: 0, user: watched.user, online: watched.told });
    }
  }

  /** Presence waits for who does not read: it must not be what fills an outbox. */
  #hasRoom({ peer }: Session): boolean {
    return peer !== undefined && peer.connection.bufferedBytes <= this.#node.settings.outboxBytesMax;
  }
}
