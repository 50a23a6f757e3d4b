import { directConversationUsers } from "@hongyan/protocol";
import { claimed } from "./claim.ts";
import { deliveredReader, parseReader, readReader, recordKeys } from "./keys.ts";
import type { Membership } from "./memberships.ts";
import type { NodeContext } from "./node-context.ts";
import { type DeviceRecord, decodeRecord } from "./record.ts";
import type { Session } from "./session.ts";

/** Users who are compared at once. */
const underWayMax = 8;
/**
 * Users whom a routine round compares in a second: a tenth of a core here, and as much in the store. With more of them
 * than this in `everyMs` a round takes longer.
 */
const perSecondMax = 100;
/** Cursors of a direct conversation that are looked at: those of the other's devices. */
const devicesMax = 100;

/** How far everybody is in one conversation, as one user is shown it. */
interface Positions {
  readonly own: number;
  readonly delivered: number;
  readonly seen: number;
  /** Of those who are shown: up to here everybody has read. */
  readonly lowest: number;
}

/** A conversation of a user in which there may be something new. */
interface Part extends Membership {
  readonly head: number;
}

/**
 * Events between nodes may be lost, and nothing comes after the last one that would show it. So every user with a
 * session here is compared with the store once in `everyMs`: what a session should have been told of and was not, it
 * is told. Mostly the heads show that nothing can have moved, and nothing else is read. The cost is bounded: so many
 * users a second and not more than a few at once, each a handful of reads; very many of them, or a store that is slow,
 * make the round longer.
 */
export class Repair {
  readonly #node: NodeContext;
  readonly #everyMs: number;
  #beganAtMs: number;
  /** One session of each user of this round; the first `#done` were looked at. */
  #round: Session[] = [];
  #done = 0;
  /** So many of the round are to be looked at by now. */
  #due = 0;
  #underWay = 0;
  /** All are due once those are done who are: rounds that began anew each time would never come to their end. */
  #isMissed = false;

  constructor(node: NodeContext, everyMs: number) {
    this.#node = node;
    this.#everyMs = everyMs;
    this.#beganAtMs = node.clock.now();
  }

  /** Events were missed for certain: everybody is compared as soon as it can be. */
  missed(): void {
    this.#isMissed = true;
  }

  /** What `list` says of a conversation is what the device knows. */
  told(session: Session, conversation: string, read: number, delivered: number, seen: number): void {
    session.told ??= new Map();
    session.told.set(conversation, sumOf({ own: read, delivered, seen }));
  }

  tick(): void {
    const now = this.#node.clock.now();
    if (this.#beganAtMs > now) this.#beganAtMs = now;
    const count = this.#round.length;
    const roundMs = Math.max(this.#everyMs, (count / perSecondMax) * 1000);
    const share = (now - this.#beganAtMs) / roundMs;
    if (this.#isMissed && this.#done >= this.#due) {
      this.#isMissed = false;
      this.#begin();
      this.#due = this.#round.length;
    } else if (this.#done >= count && share >= 1) this.#begin();
    else this.#due = Math.max(this.#due, Math.min(count, Math.ceil(count * share)));
    this.#advance();
  }

  /** Compares whom it is time for; the next one as soon as one is done, so that the pace is the store's. */
  #advance(): void {
    while (this.#done < this.#due && this.#underWay < underWayMax) {
      const { identity } = this.#round[this.#done++] as Session;
      this.#underWay++;
      // Where the store does not answer, the next round does it.
      this.#compare(identity.domain, identity.user).then(this.#ended, this.#ended);
    }
  }

  readonly #ended = (): void => {
    this.#underWay--;
    this.#advance();
  };

  #begin(): void {
    this.#beganAtMs = this.#node.clock.now();
    this.#done = 0;
    this.#due = 0;
    this.#round = Array.from(this.#node.sessions.byUser(), ([session]) => session as Session);
  }

  async #compare(domain: string, user: string): Promise<void> {
    const { store, sessions } = this.#node;
    if (sessions.of(domain, user).length === 0) return;
    this.#node.statistics.comparisons++;
    await this.#compareDevices(domain, user);
    const all = await this.#node.memberships.of(domain, user);
    const ends = await store.heads(all.map(({ log }) => log));
    const compared = sessions.of(domain, user).filter(({ behind, peer }) => !behind && peer !== undefined);
    const parts: Part[] = [];
    all.forEach((part, at) => {
      const head = ends[at] ?? 0;
      if (compared.some(({ settled }) => settled?.get(part.conversation) !== head))
        parts.push({ ...part, head });
    });
    if (parts.length === 0) return;
    const positions = await this.#positions(user, parts);
    for (const session of compared) {
      const reader = deliveredReader(user, session.device);
      const cursors = await store.positions(parts.map(({ log }) => ({ log, reader })));
      if (session.behind || session.peer === undefined) continue;
      parts.forEach((part, at) => {
        this.#compareDevice(session, part, cursors[at] ?? 0, positions[at] as Positions);
      });
    }
  }

  #compareDevice(session: Session, part: Part, cursor: number, positions: Positions): void {
    const { conversation, member, head } = part;
    const after = Math.max(cursor, member.since - 1);
    const upTo = Math.min(head, member.until ?? Number.MAX_SAFE_INTEGER);
    if (after < upTo) this.#node.delivery.expect(session, conversation, upTo);
    this.#tell(session, session.identity.user, conversation, positions);
    // No position is beyond the head: until that moves there is nothing new.
    session.settled ??= new Map();
    if (after >= upTo && positions.lowest >= upTo) session.settled.set(conversation, head);
    else session.settled.delete(conversation);
  }

  /** Ends sessions whose device has another one, on another node. */
  async #compareDevices(domain: string, user: string): Promise<void> {
    const { store, sessions } = this.#node;
    // One that has said nothing yet may be newer than the record.
    const own = sessions.of(domain, user).filter((session) => session.claim !== undefined);
    if (own.length === 0) return;
    const rows = await store.records(own.map(({ device }) => recordKeys.device(domain, user, device)));
    own.forEach((session, at) => {
      const row = rows[at];
      if (row === undefined) return;
      const { version } = row;
      claimed(this.#node, session, {
        device: session.device,
        version,
        ...decodeRecord<DeviceRecord>(row.value),
      });
    });
  }

  async #positions(user: string, parts: readonly Part[]): Promise<Positions[]> {
    const { store } = this.#node;
    const peers = parts.map(({ conversation }) =>
      directConversationUsers(conversation)?.find((other) => other !== user),
    );
    const reads = await store.positions(
      parts.flatMap(({ log }, at) => [
        { log, reader: readReader(user) },
        { log, reader: readReader(peers[at] ?? user) },
      ]),
    );
    const all: Positions[] = [];
    // One after another: what users ask for must not wait behind hundreds of these.
    for (let at = 0; at < parts.length; at++) {
      const [own = 0, seen = 0] = [reads[2 * at], reads[2 * at + 1]];
      const peer = peers[at];
      const { log, head } = parts[at] as Part;
      if (peer === undefined) all.push({ own, delivered: 0, seen: 0, lowest: own });
      // What was read was delivered.
      else if (seen >= head) all.push({ own, delivered: seen, seen, lowest: Math.min(own, seen) });
      else {
        const cursors = await store.readers(log, deliveredReader(peer, ""), devicesMax);
        const delivered = cursors
          .filter(({ reader }) => parseReader(reader).user === peer)
          .map(({ position }) => position);
        all.push({ own, delivered: Math.max(seen, ...delivered), seen, lowest: Math.min(own, seen) });
      }
    }
    return all;
  }

  #tell(session: Session, user: string, conversation: string, positions: Positions): void {
    const sum = sumOf(positions);
    session.told ??= new Map();
    if (sum <= (session.told.get(conversation) ?? 0)) return;
    session.told.set(conversation, sum);
    const { own, delivered, seen } = positions;
    const tell = (of: string, upTo: number, read: number): void =>
      this.#node.delivery.deliver(session, {
        kind: "receipt",
        conversation,
        user: of,
        delivered: upTo,
        read,
      });
    if (own > 0) tell(user, own, own);
    const peer = directConversationUsers(conversation)?.find((other) => other !== user);
    if (peer !== undefined) tell(peer, delivered, seen);
  }
}

/** Positions never go back: where one of them has moved, the sum has grown. */
function sumOf({ own, delivered, seen }: Omit<Positions, "lowest">): number {
  return own + Math.max(delivered, seen) + seen;
}
