import type { NodeEvent } from "./event.ts";
import { userSubject } from "./keys.ts";
import type { Peer } from "./peer.ts";
import type { Broker, Clock, Identity, Random } from "./ports.ts";
import { Session } from "./session.ts";

/** Is told what changes. */
export interface SessionWatcher {
  /** The user has the first session here, or none any more. */
  changed(identity: Identity, online: boolean): void;
  /** On another connection. */
  resumed(session: Session): void;
  ended(session: Session): void;
}

/** The sessions on this node, by user and device. */
export class Sessions {
  readonly #broker: Broker<NodeEvent>;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Takes an event to one session. */
  readonly #deliver: (session: Session, event: NodeEvent) => void;
  readonly #watcher: SessionWatcher;
  readonly #byUser = new Map<string, Session[]>();
  /** Users whom events of other nodes may not reach yet. */
  readonly #subscribing = new Map<string, Promise<void>>();
  /** Sessions without a connection, oldest first. */
  readonly #away = new Set<Session>();
  #turns = 0;
  count = 0;

  constructor(
    broker: Broker<NodeEvent>,
    clock: Clock,
    random: Random,
    deliver: (session: Session, event: NodeEvent) => void,
    watcher: SessionWatcher,
  ) {
    this.#broker = broker;
    this.#clock = clock;
    this.#random = random;
    this.#deliver = deliver;
    this.#watcher = watcher;
  }

  /** Users with a session here. */
  get users(): number {
    return this.#byUser.size;
  }

  /** Of every user, the sessions here. */
  byUser(): Iterable<readonly Session[]> {
    return this.#byUser.values();
  }

  *all(): Generator<Session> {
    for (const sessions of this.#byUser.values()) yield* sessions;
  }

  of(domain: string, user: string): readonly Session[] {
    return this.#byUser.get(userSubject(domain, user)) ?? [];
  }

  /** Resolves when events of other nodes reach the user's sessions; undefined: they do. */
  subscribing(domain: string, user: string): Promise<void> | undefined {
    return this.#subscribing.size === 0 ? undefined : this.#subscribing.get(userSubject(domain, user));
  }

  /** The turn of a peer that asks to connect now. */
  nextTurn(): number {
    return ++this.#turns;
  }

  /**
   * The session for a device that has just proved who it is. One device has one session: an older connection is
   * closed as `replaced`, whether or not it still looks alive. `resume` continues the session where it matches.
   * Undefined where `peer` itself is the older one, overtaken while its token was verified: `replaced` tells a
   * client to stop, so that the wrong one of the two would silence the device.
   */
  attach(
    peer: Peer,
    identity: Identity,
    device: string,
    platform: string | undefined,
    resume: string | undefined,
  ): { session: Session; resumed: boolean } | undefined {
    const existing = this.of(identity.domain, identity.user).find((session) => session.device === device);
    const older = existing?.peer;
    if (older !== undefined && older.turn > peer.turn) return undefined;
    const isKnown = resume !== undefined && (resume === existing?.claimId || resume === existing?.knownAs);
    if (existing !== undefined && isKnown) {
      existing.peer = peer;
      this.#away.delete(existing);
      existing.forgetBacklog();
      // The device says that it is here, whatever came of an attempt elsewhere: it is claimed anew.
      existing.knownAs = resume;
      existing.claimId = this.#random.id();
      existing.claim = undefined;
      // What was pushed and not acknowledged may be lost with the old connection: the next tick pushes it again.
      for (const window of existing.windows?.values() ?? []) window.sinceMs = Number.NEGATIVE_INFINITY;
      older?.close("replaced");
      this.#watcher.resumed(existing);
      return { session: existing, resumed: true };
    }
    if (existing !== undefined) {
      existing.peer = undefined;
      this.end(existing);
    }
    older?.close("replaced");
    const session = new Session(this.#random.id(), identity, device, platform, resume);
    session.peer = peer;
    this.#add(session);
    return { session, resumed: false };
  }

  /** The device has another session, on another node. */
  replace(session: Session, code: "replaced" | "going_away"): void {
    const { peer } = session;
    session.peer = undefined;
    this.end(session);
    peer?.close(code);
  }

  /** The connection of `session` is gone; the session waits for its device. */
  away(session: Session): void {
    session.peer = undefined;
    session.forgetBacklog();
    session.awaySinceMs = this.#clock.now();
    this.#away.add(session);
  }

  end(session: Session): void {
    this.#away.delete(session);
    session.forgetBacklog();
    const subject = userSubject(session.identity.domain, session.identity.user);
    const sessions = this.#byUser.get(subject);
    const at = sessions?.indexOf(session) ?? -1;
    if (sessions === undefined || at < 0) return;
    sessions.splice(at, 1);
    this.count--;
    this.#watcher.ended(session);
    if (sessions.length > 0) return;
    this.#byUser.delete(subject);
    this.#broker.unsubscribe(subject);
    this.#watcher.changed(session.identity, false);
  }

  /** Ends sessions that have been away for `graceMs`. A clock that jumped back starts their time again. */
  expire(graceMs: number): void {
    const now = this.#clock.now();
    for (const session of this.#away) {
      if (session.awaySinceMs > now) session.awaySinceMs = now;
      if (now - session.awaySinceMs < graceMs) return;
      this.end(session);
    }
  }

  #add(session: Session): void {
    const subject = userSubject(session.identity.domain, session.identity.user);
    this.count++;
    const sessions = this.#byUser.get(subject);
    if (sessions !== undefined) {
      sessions.push(session);
      return;
    }
    const list = [session];
    this.#byUser.set(subject, list);
    const subscribing = this.#broker.subscribe(subject, (event) => {
      for (let i = list.length - 1; i >= 0; i--) this.#deliver(list[i] as Session, event);
    });
    this.#watcher.changed(session.identity, true);
    if (subscribing === undefined) return;
    this.#subscribing.set(subject, subscribing);
    subscribing.then(() => {
      if (this.#subscribing.get(subject) === subscribing) this.#subscribing.delete(subject);
    });
  }
}
