import { SharedFrame } from "@hongyan/protocol";
import type { Committer } from "./committer.ts";
import type { Peer } from "./peer.ts";

/** `tick` is called so often. */
const ticksPerSecond = 10;
/** So few cost nobody anything: with hundreds of connections a drain is over at once. */
const perTickMin = 100;
/** Those who are sent away in one tick come back spread over so long. */
const spreadMs = 1000;

/**
 * Sends everybody away, some with every tick, to nodes that take them; the others are served as before. A peer takes
 * nothing more first, and is closed when what it has taken is committed and answered.
 */
export class Drain {
  /** Resolves when the last one is gone. */
  readonly done: Promise<void>;
  readonly #committer: Committer;
  readonly #peers: readonly Peer[];
  readonly #perTick: number;
  #next = 0;
  #leaving = 0;
  #finish: () => void = () => undefined;

  /** `peers`: everybody who is there; nobody comes after them. */
  constructor(committer: Committer, peers: readonly Peer[], percentPerSecond: number) {
    this.#committer = committer;
    this.#peers = peers;
    this.#perTick = Math.max(perTickMin, Math.ceil((peers.length * percentPerSecond) / 100 / ticksPerSecond));
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  tick(): void {
    const some: Peer[] = [];
    while (some.length < this.#perTick && this.#next < this.#peers.length) {
      const peer = this.#peers[this.#next++] as Peer;
      if (!peer.isClosed) some.push(peer);
    }
    if (some.length > 0) this.#sendAway(some);
    else if (this.#leaving === 0) this.#finish();
  }

  async #sendAway(peers: readonly Peer[]): Promise<void> {
    this.#leaving++;
    for (const peer of peers) peer.leave();
    try {
      // Commits come one after another: when this one is done, so is all that these have sent.
      await this.#committer.transact(() => ({ puts: [], appends: [] }));
    } catch {
      // Where the store is away, they were told so, or send again.
    }
    sendAway(peers, (place) => Math.ceil(((place + 1) * spreadMs) / peers.length));
    this.#leaving--;
  }
}

/** Closes `peers`, each with its own hint when to come back. */
export function sendAway(peers: readonly Peer[], hintMsOf: (place: number) => number): void {
  peers.forEach((peer, place) => {
    const hintMs = hintMsOf(place);
    peer.write(new SharedFrame({ type: "drain", id: 0, reconnectInMs: hintMs }));
    peer.close("going_away", hintMs);
  });
}
