import { setTimeout as sleep } from "node:timers/promises";
import type { Journal, Random, Store, StoredRecord } from "@hongyan/core";

/** One life of a node, and how others reach it. */
export interface NodeAddress {
  /** Names this life of the node: another one after a restart, so that nobody looks there for what is gone. */
  readonly place: string;
  /** `http://10.0.0.5:8080` */
  readonly url: string;
  /** What a forwarded request shows to be let in. Who can read the store has it; another life has another. */
  readonly key: string;
}

export interface DirectoryOptions {
  readonly store: Store;
  readonly journal: Journal;
  readonly random: Random;
  /** Where other nodes reach this one. */
  readonly url: string;
}

/** No domain is named so: these records are nobody's. */
const prefix = "/node/";
const placeLength = 8;
const nodesMax = 1000;
const beatEveryMs = 15_000;
/** A record that was found the same in so many rounds belongs to a node that is gone. */
const roundsMax = 4;
/** How soon the list is read again for a place that is not in it: strangers may ask for any. */
const readEveryMs = 500;
const withdrawMsMax = 1000;

interface Known {
  readonly address: NodeAddress;
  /** Of its record; rises as long as the node lives. */
  version: number;
  rounds: number;
}

/**
 * Which nodes there are: each keeps a record in the store and writes it again every 15 s, before it takes the first
 * connection and until it stops. No clocks are compared: who sees the version of a record stand still for a minute of
 * its own rounds removes it. A node that was taken for dead comes back with its next round.
 */
export class NodeDirectory {
  readonly own: NodeAddress;
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #known = new Map<string, Known>();
  #beatAtMs = 0;
  #beating: Promise<void> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #state: "open" | "closed" = "open";

  constructor({ store, journal, random, url }: DirectoryOptions) {
    this.#store = store;
    this.#journal = journal;
    this.own = { place: random.id().slice(0, placeLength), url, key: random.id() };
  }

  /** Makes the node known. Rejects where the store does not take it. */
  async open(): Promise<void> {
    await this.#announce();
  }

  /** To be called every 100 ms or so, with milliseconds of a clock that does not jump. */
  tick(nowMs: number): void {
    if (nowMs < this.#beatAtMs || this.#beating !== undefined || this.#state === "closed") return;
    this.#beatAtMs = nowMs + beatEveryMs;
    this.#beating = this.beat().finally(() => {
      this.#beating = undefined;
    });
  }

  /** One round: renews the own record, and removes those of the dead. */
  async beat(): Promise<void> {
    try {
      await this.#announce();
      await this.#read(1);
      await this.#bury();
    } catch (error) {
      // The store has said why; the next round comes.
      this.#journal.warn("node.unannounced", { error: String(error) });
    }
  }

  /** Where `place` is; undefined where no node is known by it, also after the list was read anew. */
  async find(place: string): Promise<NodeAddress | undefined> {
    if (!this.#known.has(place)) {
      this.#reading ??= this.#readSoon();
      await this.#reading;
    }
    return this.#known.get(place)?.address;
  }

  /** Withdraws the record, which is not waited for longer than a second. */
  async close(): Promise<void> {
    this.#state = "closed";
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, withdrawMsMax);
    });
    await Promise.race([this.#withdraw(), late]);
    clearTimeout(timer);
  }

  async #withdraw(): Promise<void> {
    await this.#beating;
    const puts = [{ key: prefix + this.own.place, value: undefined }];
    // The others find out by themselves where this cannot be said.
    await this.#store.commit({ appends: [], advances: [], puts }).catch(() => undefined);
  }

  async #announce(): Promise<void> {
    const { place, ...rest } = this.own;
    const value = Buffer.from(JSON.stringify(rest));
    await this.#store.commit({ appends: [], advances: [], puts: [{ key: prefix + place, value }] });
  }

  /** One reading for all who ask at the same time, and not more than one in `readEveryMs`. */
  async #readSoon(): Promise<void> {
    const waitMs = this.#readAtMs + readEveryMs - performance.now();
    await (waitMs > 0 ? sleep(waitMs) : undefined);
    // What is announced from now on may not be in what is read: who asks then waits for the next.
    this.#reading = undefined;
    this.#readAtMs = performance.now();
    try {
      await this.#read(0);
    } catch (error) {
      this.#journal.warn("nodes.unread", { error: String(error) });
    }
  }

  /** Takes over what the store has; what did not change has been so for `rounds` more. */
  async #read(rounds: number): Promise<void> {
    const found = new Set<string>();
    for (const record of await this.#store.list(prefix, "", nodesMax)) {
      const address = decoded(record);
      if (address === undefined) continue;
      found.add(address.place);
      const known = this.#known.get(address.place);
      if (known?.version === record.version) known.rounds += rounds;
      else this.#known.set(address.place, { address, version: record.version, rounds: 0 });
    }
    for (const place of this.#known.keys()) if (!found.has(place)) this.#known.delete(place);
  }

  async #bury(): Promise<void> {
    const dead = [...this.#known.values()].filter(({ rounds }) => rounds >= roundsMax);
    if (dead.length === 0) return;
    const puts = dead.map(({ address, version }) => ({
      key: prefix + address.place,
      value: undefined,
      expect: version,
    }));
    await this.#store.commit({ appends: [], advances: [], puts });
    for (const { address } of dead) this.#known.delete(address.place);
  }
}

/** Undefined where it is not what this version writes: another one may write something else. */
function decoded({ key, value }: StoredRecord): NodeAddress | undefined {
  try {
    const { url, key: secret } = JSON.parse(Buffer.from(value).toString("utf8")) as Record<string, unknown>;
    if (typeof url !== "string" || !URL.canParse(url) || typeof secret !== "string") return undefined;
    return { place: key.slice(prefix.length), url, key: secret };
  } catch {
    return undefined;
  }
}
