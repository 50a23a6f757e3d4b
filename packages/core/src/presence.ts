import { limits, SharedFrame } from "@hongyan/protocol";
import type { NodeEvent } from "./event.ts";
import { nodeSubject, presenceSubject, userSubject } from "./keys.ts";
import type { NodeContext } from "./node-context.ts";
import type { Broker, Identity } from "./ports.ts";
import type { Session } from "./session.ts";
import type { SessionWatcher } from "./sessions.ts";

/** How long other nodes have to say that somebody is there. */
const answerMs = 300;
/** Users in one event between nodes. */
const usersPerEvent = 100;
/** Rounds of asking after which a node that has not answered does not count. */
const silentRoundsMax = 2.5;

/** A user whom sessions of this node watch. */
interface Watched {
  readonly domain: string;
  readonly user: string;
  readonly watchers: Set<Session>;
  /** The other nodes with a session of the user, and when each last said so. */
  readonly elsewhere: Map<string, number>;
  /** What the watchers know. */
  told: boolean;
}

/** Somebody waits for the answers of other nodes. */
interface Question {
  readonly domain: string;
  /** Whom nobody has answered for yet. */
  readonly open: Set<string>;
  readonly online: Set<string>;
  endsAtMs: number;
  readonly resolve: () => void;
}

/**
 * Who is online: whoever has a session, on whichever node, all devices as one. It is derived and stored nowhere, so
 * that it cannot outlive what it is derived from. A session outlives its connection for a while, so that a short gap
 * shows nobody as gone; changes within a tick are told once.
 *
 * Between nodes a change is an event, which may be lost, and a node that dies tells nothing. So whoever is watched is
 * asked for once in `everyMs`, and a node that does not answer for two rounds does not count: no ghosts.
 */
export class Presence implements SessionWatcher {
  readonly #node: NodeContext;
  /** Of this process: two nodes may have the same name, and one that was started again is another one. */
  readonly #id: string;
  readonly #broker: Broker<NodeEvent>;
  /** Undefined where there are no other nodes. */
  readonly #everyMs: number | undefined;
  /** By subject. */
  readonly #watched = new Map<string, Watched>();
  readonly #changed = new Set<Watched>();
  /** Watchers who could not be told, and will be told everything. */
  readonly #owed = new Set<Session>();
  readonly #questions = new Set<Question>();
  /** What this tick answers other nodes: users by domain, by the subject of who asked. */
  readonly #answers = new Map<string, Map<string, string[]>>();
  #askedAtMs = 0;

  constructor(node: NodeContext, broker: Broker<NodeEvent>, everyMs: number | undefined) {
    this.#node = node;
    this.#id = node.random.id();
    this.#broker = broker;
    this.#everyMs = everyMs;
    if (everyMs !== undefined) broker.subscribe(nodeSubject(this.#id), this.#heard);
  }

  /** Those of the users who are online; waits for other nodes where there are any. */
  async online(domain: string, users: readonly string[]): Promise<readonly string[]> {
    const here = (user: string) => this.#node.sessions.of(domain, user).length > 0;
    const open = users.filter((user) => !here(user));
    if (this.#everyMs === undefined || open.length === 0) return users.filter(here);
    const online = await this.#ask(domain, open);
    return users.filter((user) => online.has(user) || here(user));
  }

  /** From now on the session is told when one of these changes; of those it named last. Returns who is online. */
  async watch(session: Session, users: readonly string[]): Promise<readonly string[]> {
    const { domain } = session.identity;
    session.watching ??= new Set();
    const reachable: Promise<void>[] = [];
    for (const user of users) {
      const subject = presenceSubject(domain, user);
      session.watching.delete(subject);
      session.watching.add(subject);
      const subscribed = this.#add(session, domain, user);
      if (subscribed !== undefined) reachable.push(subscribed);
    }
    for (const subject of session.watching) {
      if (session.watching.size <= limits.watchedMax) break;
      session.watching.delete(subject);
      this.#unwatch(session, subject);
    }
    if (this.#everyMs !== undefined && users.length > 0) {
      // Asked once what others tell will be heard: what changes in between is not missed.
      await Promise.all(reachable);
      await this.#ask(domain, users);
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
    if (this.#everyMs === undefined) return;
    this.#broker.publish([subject], { kind: "online", domain, users: [user], node: this.#id, online });
  }

  ended(session: Session): void {
    this.#owed.delete(session);
    const { watching } = session;
    session.watching = undefined;
    for (const subject of watching ?? []) this.#unwatch(session, subject);
  }

  /** A node asks where the session's user is. */
  asked(session: Session, node: string): void {
    const { domain, user } = session.identity;
    // Each session of the user hears it: one answers.
    if (node === this.#id || this.#node.sessions.of(domain, user)[0] !== session) return;
    if (this.#answers.size === 0) this.#node.clock.defer(this.#answer);
    const byDomain = this.#answers.get(node) ?? new Map<string, string[]>();
    this.#answers.set(node, byDomain);
    const users = byDomain.get(domain);
    if (users === undefined) byDomain.set(domain, [user]);
    else users.push(user);
  }

  /** To be called every tick. */
  tick(): void {
    const now = this.#node.clock.now();
    for (const question of this.#questions) {
      // A clock that jumped back must not make anybody wait for long.
      question.endsAtMs = Math.min(question.endsAtMs, now + answerMs);
      if (question.endsAtMs <= now) this.#close(question);
    }
    if (this.#everyMs !== undefined) this.#askAgain(now, this.#everyMs);
    for (const watched of this.#changed) this.#tell(watched);
    for (const session of this.#owed) if (this.#hasRoom(session)) this.#tellAll(session);
  }

  #add(session: Session, domain: string, user: string): Promise<void> | undefined {
    const subject = presenceSubject(domain, user);
    const known = this.#watched.get(subject);
    if (known !== undefined) {
      known.watchers.add(session);
      return undefined;
    }
    const told = this.#node.sessions.of(domain, user).length > 0;
    this.#watched.set(subject, {
      domain,
      user,
      watchers: new Set([session]),
      elsewhere: new Map(),
      told,
    });
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
    if (event.kind !== "online" || event.node === this.#id) return;
    const now = this.#node.clock.now();
    for (const user of event.users) {
      const watched = this.#watched.get(presenceSubject(event.domain, user));
      if (watched === undefined) continue;
      if (event.online) watched.elsewhere.set(event.node, now);
      else watched.elsewhere.delete(event.node);
      this.#changed.add(watched);
    }
    if (!event.online) return;
    for (const question of this.#questions) {
      if (question.domain !== event.domain) continue;
      for (const user of event.users) if (question.open.delete(user)) question.online.add(user);
      if (question.open.size === 0) this.#close(question);
    }
  };

  /** Who of these has a session on another node. */
  async #ask(domain: string, users: readonly string[]): Promise<ReadonlySet<string>> {
    const online = new Set<string>();
    await new Promise<void>((resolve) => {
      const endsAtMs = this.#node.clock.now() + answerMs;
      this.#questions.add({ domain, open: new Set(users), online, endsAtMs, resolve });
      this.#askFor(users.map((user) => userSubject(domain, user)));
    });
    return online;
  }

  #close(question: Question): void {
    this.#questions.delete(question);
    question.resolve();
  }

  #askFor(subjects: readonly string[]): void {
    for (let at = 0; at < subjects.length; at += usersPerEvent)
      this.#broker.publish(subjects.slice(at, at + usersPerEvent), { kind: "whereabouts", node: this.#id });
  }

  readonly #answer = (): void => {
    const node = this.#id;
    for (const [asker, byDomain] of this.#answers)
      for (const [domain, all] of byDomain)
        for (let at = 0; at < all.length; at += usersPerEvent) {
          const users = all.slice(at, at + usersPerEvent);
          this.#broker.publish([nodeSubject(asker)], { kind: "online", domain, users, node, online: true });
        }
    this.#answers.clear();
  };

  /** Everybody who is watched, once in so long; whoever was not heard of does not count any more. */
  #askAgain(now: number, everyMs: number): void {
    if (this.#askedAtMs > now) this.#askedAtMs = now;
    if (now - this.#askedAtMs < everyMs) return;
    this.#askedAtMs = now;
    for (const watched of this.#watched.values())
      for (const [node, heardAtMs] of watched.elsewhere) {
        if (heardAtMs > now) watched.elsewhere.set(node, now);
        if (now - heardAtMs <= silentRoundsMax * everyMs) continue;
        watched.elsewhere.delete(node);
        this.#changed.add(watched);
      }
    this.#askFor(Array.from(this.#watched.values(), ({ domain, user }) => userSubject(domain, user)));
  }

  #tell(watched: Watched): void {
    this.#changed.delete(watched);
    const { domain, user, watchers, elsewhere } = watched;
    const online = elsewhere.size > 0 || this.#node.sessions.of(domain, user).length > 0;
    if (online === watched.told) return;
    watched.told = online;
    const frame = new SharedFrame({ type: "online", id: 0, user, online });
    for (const session of watchers) {
      if (this.#hasRoom(session)) session.peer?.write(frame);
      else this.#owed.add(session);
    }
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
