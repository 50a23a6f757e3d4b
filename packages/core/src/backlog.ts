/** What a conversation may have for a device to read: entries in (after, upTo]. */
export interface Stretch {
  readonly conversation: string;
  after: number;
  upTo: number;
  /** As a look has found it; otherwise it was noted, and only a look says where it begins. */
  isFound: boolean;
}

/** One session may remember this share of what all of them may. */
const sessionShare = 1 / 25;

/** Bounds what sessions remember between their pages: conversations, of which none takes more than 250 bytes. */
export class BacklogRoom {
  /** Conversations that one session may remember. */
  readonly sessionMax: number;
  #left: number;

  constructor(conversationsMax: number) {
    this.sessionMax = Math.ceil(conversationsMax * sessionShare);
    this.#left = conversationsMax;
  }

  /** As many of `count` as there is room for. */
  take(count: number): number {
    const taken = Math.min(count, this.#left);
    this.#left -= taken;
    return taken;
  }

  give(count: number): void {
    this.#left += count;
  }
}

/**
 * Where a device may have something to read: found by looking at all conversations of its user, and kept from page to
 * page so that this is not done for each of them. Only a hint of where to look: what is sent is decided by the store.
 *
 *     look at all ──> used by a page ──keep──> between pages ──use──> used by the next page ... ──> close
 *
 * Between pages nothing is pushed; what is left out is noted here instead. What was pushed and is not acknowledged is in
 * the windows of the session. So, where no event is lost, a backlog that is whole and those windows name everything that
 * the device has not acknowledged.
 */
export class Backlog {
  readonly #room: BacklogRoom;
  /** What was sent and is not acknowledged comes first. */
  readonly #stretches = new Map<string, Stretch>();
  /** Conversations that this takes of the room. */
  #held = 0;
  #isKept = false;
  #isWhole = true;

  constructor(room: BacklogRoom) {
    this.#room = room;
  }

  /** False: there was no room for all, or it was closed. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get isEmpty(): boolean {
    return this.#stretches.size === 0;
  }

  /** Nothing is left in it, and no page is being made. */
  get isDone(): boolean {
    return this.#isKept && this.isEmpty;
  }

  values(): Iterable<Stretch> {
    return this.#stretches.values();
  }

  /** By a look at all. */
  found({ conversation, after, upTo }: Stretch): void {
    if (this.#stretches.has(conversation)) this.note(conversation, upTo);
    else this.#stretches.set(conversation, { conversation, after, upTo, isFound: true });
  }

  /** The device was not shown the entry `seq`. */
  note(conversation: string, seq: number): void {
    const known = this.#stretches.get(conversation);
    if (known !== undefined) {
      known.upTo = Math.max(known.upTo, seq);
      known.isFound = false;
      return;
    }
    if (this.#isKept && this.#stretches.size >= this.#held) {
      if (this.#held >= this.#room.sessionMax || this.#room.take(1) === 0) {
        this.#isWhole = false;
        return;
      }
      this.#held++;
    }
    this.#stretches.set(conversation, { conversation, after: seq - 1, upTo: seq, isFound: false });
  }

  /** The device has everything up to `position`, or may not read what follows. */
  settle(conversation: string, position: number): void {
    const known = this.#stretches.get(conversation);
    if (known === undefined) return;
    known.after = Math.max(known.after, position);
    if (position >= known.upTo) this.#stretches.delete(conversation);
  }

  /** The device was sent what lies up to `last`, and may not have it. */
  sent(conversation: string, last: number): void {
    const known = this.#stretches.get(conversation);
    if (known !== undefined) known.after = Math.max(known.after, last);
  }

  /** There is nothing that the device may read up to `upTo`, whatever its position is. */
  drop(conversation: string, upTo: number): void {
    const known = this.#stretches.get(conversation);
    if (known !== undefined && known.upTo <= upTo) this.#stretches.delete(conversation);
  }

  /** A page is made of it: what is found meanwhile is not bounded, being no more than what one look brings. */
  use(): void {
    this.#isKept = false;
  }

  /** No page is made of it any more: what there is no room for is forgotten. */
  keep(): void {
    const wanted = Math.min(this.#stretches.size, this.#room.sessionMax);
    if (wanted > this.#held) this.#held += this.#room.take(wanted - this.#held);
    else this.#release(this.#held - wanted);
    let kept = 0;
    for (const conversation of this.#stretches.keys()) if (++kept > this.#held) this.#forget(conversation);
    this.#isKept = true;
  }

  /** It is not told any more of what is left out. */
  close(): void {
    this.#isWhole = false;
    this.#stretches.clear();
    this.#release(this.#held);
  }

  #forget(conversation: string): void {
    this.#stretches.delete(conversation);
    this.#isWhole = false;
  }

  #release(count: number): void {
    this.#room.give(count);
    this.#held -= count;
  }
}
