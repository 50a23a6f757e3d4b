import type { NameDigest } from "./name-digest.ts";

/** Commits in a row that trust memory. The next one locks the log, so that other nodes come in. */
const trustedMax = 15;
/** Locked commits that must find the log as it was left, after another node has written to it. */
const doubtMax = 32;
/** Producers of a log that are remembered. */
const producersMax = 8;

export interface Producer {
  readonly name: string;
  readonly digest: NameDigest;
}

/** Who has numbered entries of a log, and the highest number that is known to be stored. */
export interface RememberedProducer extends Producer {
  number: number;
  /** Who came before: a list, as an array of two has room for seventeen. */
  before: RememberedProducer | undefined;
}

/**
 * What this node believes about a log since it last wrote to it. It may be wrong, as other nodes write too: then a
 * unique index refuses the commit, which is tried again under a lock. So it decides what a commit costs, never what
 * it does.
 */
export class RememberedLog {
  readonly id: NameDigest;
  #head: number;
  /** Commits that may still trust memory. */
  #trusted = 0;
  /** Locked commits until they may: one sees whether the log is ours. */
  #doubt = 1;
  #latest: RememberedProducer | undefined;

  constructor(id: NameDigest, head: number) {
    this.id = id;
    this.#head = head;
  }

  /** The highest seq, where that may be trusted. */
  get trustedHead(): number | undefined {
    return this.#trusted > 0 ? this.#head : undefined;
  }

  producer(name: string): RememberedProducer | undefined {
    let producer = this.#latest;
    while (producer !== undefined && producer.name !== name) producer = producer.before;
    return producer;
  }

  /** After a commit that trusted it. */
  confirmed(head: number): void {
    this.#head = head;
    this.#trusted--;
  }

  /** After a commit that locked the log, found the head `found` and left `head`. */
  seen(found: number, head: number): void {
    if (found !== this.#head) this.#doubt = doubtMax;
    else if (this.#doubt > 0) this.#doubt--;
    this.#trusted = this.#doubt === 0 ? trustedMax : 0;
    this.#head = head;
  }

  stored({ name, digest }: Producer, number: number): void {
    const producer = this.producer(name);
    if (producer !== undefined) {
      producer.number = Math.max(producer.number, number);
      return;
    }
    this.#latest = { name, digest, number, before: this.#latest };
    let last = this.#latest;
    for (let count = 1; count < producersMax && last.before !== undefined; count++) last = last.before;
    last.before = undefined;
  }
}
