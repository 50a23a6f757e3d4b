import { randomBytes } from "node:crypto";
import type {
  Batch,
  CommitOutcome,
  Entry,
  Journal,
  LogId,
  PageLimit,
  ReaderPosition,
  Store,
  StoredRecord,
} from "@hongyan/core";
import { checkBatch } from "@hongyan/core/memory";
import { parseAddress } from "./address.ts";
import { ClockWatch } from "./clock-watch.ts";
import { CommitLanes } from "./commit-lanes.ts";
import { refuseUnfinished } from "./copy-state.ts";
import {
  headsOf,
  positionsOf,
  readAfter,
  readBefore,
  readersOf,
  recordsOf,
  recordsWith,
  seqOfKey,
} from "./lookups.ts";
import { migrate } from "./migrate.ts";
import { closed, Primary } from "./primary.ts";
import { Readers } from "./readers.ts";
import { RememberedLogs } from "./remembered-logs.ts";
import { checkServer } from "./server-check.ts";
import { probe } from "./statements.ts";
import { newStatistics, type PostgresStatistics } from "./statistics.ts";
import { commitGroup } from "./transaction.ts";
import { trimLog } from "./trim.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`: the primary. Any number of nodes may use one database. */
  readonly url: string;
  /** Bytes that may wait to be written; more is refused as `overloaded`. Default 64 MiB. */
  readonly queueBytesMax?: number | undefined;
  /** Connections of this node, from 2. Up to four of them commit, the others read. Default 12. */
  readonly poolMax?: number | undefined;
  /** Makes the epoch of new data. Default: 128 random bits. */
  readonly createEpoch?: (() => string) | undefined;
  /** How far the clocks of this machine and of the server may be apart. Default 5 s. */
  readonly clockSkewMsMax?: number | undefined;
  /** The clock of this machine, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  readonly journal?: Journal | undefined;
  /** Opens also a copy that is not complete: for whoever makes it. Default: it is refused. */
  readonly opensCopy?: boolean | undefined;
}

const lanesMax = 4;

/** Replaced when a commit fails: see RememberedLogs. */
interface Memory {
  logs: RememberedLogs;
}

/**
 * All durable state in PostgreSQL, for any number of nodes. A commit resolves when its transaction was committed with
 * `synchronous_commit` on (G1); commits that wait share one. Bytes handed to `commit` must not change before its
 * promise settles.
 *
 * When a transaction fails or a connection breaks, commits are rejected until the server was reached again, takes
 * writes, and runs none of the old transactions any more; that happens by itself. Reads go on where they can.
 */
export class PostgresStore implements Store {
  readonly epoch: string;
  /** Which database, for people: without user and password. */
  readonly place: string;
  readonly #primary: Primary;
  readonly #readers: Readers;
  readonly #clock: ClockWatch;
  readonly #lanes: CommitLanes;
  readonly #memory: Memory;
  readonly #statistics: PostgresStatistics;
  #closing: Promise<void> | undefined;

  /**
   * Makes or migrates the tables. Rejects with `StoreError`: `unreachable`, `unauthorized`, `unsuitable`,
   * `unwritable`, `newer_format`, `foreign`, `unfinished`.
   */
  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const { journal, poolMax = 12, queueBytesMax = 64 * 1024 * 1024, createEpoch = randomEpoch } = options;
    const { clockSkewMsMax = 5_000, now = Date.now } = options;
    if (!Number.isSafeInteger(poolMax) || poolMax < 2)
      throw new RangeError(`poolMax is ${poolMax}; it takes 2 connections to write and to read`);
    const address = parseAddress(options.url);
    const count = Math.min(lanesMax, poolMax - 1);
    const memory = { logs: new RememberedLogs() };
    const statistics = newStatistics();
    const primary = await Primary.open(
      {
        address,
        count,
        journal,
        failed: () => {
          statistics.commitFailures++;
          memory.logs = new RememberedLogs();
        },
        recovered: () => {
          statistics.recoveries++;
        },
      },
      async ({ client }) => {
        await checkServer(client, address.place, journal);
        const epoch = await migrate(client, address.place, createEpoch);
        if (options.opensCopy !== true) await refuseUnfinished(client, address.place);
        return epoch;
      },
    );
    const readers = new Readers(address, poolMax - count, journal);
    const { place } = address;
    const clock = new ClockWatch({ readers, place, journal, statistics, skewMsMax: clockSkewMsMax, now });
    try {
      await clock.start();
    } catch (error) {
      await Promise.all([primary.close(), readers.close()]);
      throw error;
    }
    return new PostgresStore({ place, primary, readers, clock, memory, statistics, count, queueBytesMax });
  }

  private constructor(parts: {
    readonly place: string;
    readonly primary: Primary;
    readonly readers: Readers;
    readonly clock: ClockWatch;
    readonly memory: Memory;
    readonly statistics: PostgresStatistics;
    readonly count: number;
    readonly queueBytesMax: number;
  }) {
    this.epoch = parts.primary.epoch;
    this.place = parts.place;
    this.#primary = parts.primary;
    this.#readers = parts.readers;
    this.#clock = parts.clock;
    this.#memory = parts.memory;
    this.#statistics = parts.statistics;
    this.#lanes = new CommitLanes({
      count: parts.count,
      bytesMax: parts.queueBytesMax,
      commitGroup: (lane, batches) => this.#commitGroup(lane, batches),
    });
  }

  /** Totals since the start, and how it is now. */
  get statistics(): Readonly<PostgresStatistics> {
    const { open, busy, waiting } = this.#readers.connections;
    return {
      ...this.#statistics,
      readConnections: open,
      readConnectionsBusy: busy,
      readsWaiting: waiting,
    };
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

  async commit(batch: Batch): Promise<CommitOutcome> {
    this.#check();
    checkBatch(batch);
    // Refuses here what could not be written, so that a queue of it does not build up.
    void this.#primary.writers;
    return this.#lanes.commit(batch);
  }

  async trim(log: LogId, upTo: number): Promise<void> {
    this.#check();
    await this.#lanes.alone(log, (lane) => this.#primary.use(lane, (writer) => trimLog(writer, log, upTo)));
  }

  async #commitGroup(lane: number, batches: readonly Batch[]): Promise<CommitOutcome[]> {
    // What a group of the connections of before learns belongs to them.
    const { logs } = this.#memory;
    const outcomes = await this.#primary.use(lane, async (writer) => {
      // Nothing at all is asked for by those who want to know whether the store is back: it writes, too.
      if (batches.every(isEmpty)) await writer.run(probe, []);
      return commitGroup(writer, batches, logs, this.#statistics);
    });
    this.#statistics.commits += batches.length;
    this.#statistics.transactions++;
    for (const { appends } of outcomes) {
      for (const { status } of appends) {
        if (status === "stored") this.#statistics.appendsStored++;
        else if (status === "duplicate") this.#statistics.appendsDuplicate++;
      }
    }
    return outcomes;
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

  async read(log: LogId, after: number, limit: PageLimit): Promise<Entry[]> {
    return readAfter(this.#reading, log, after, limit);
  }

  async readBack(log: LogId, before: number, limit: PageLimit): Promise<Entry[]> {
    return readBefore(this.#reading, log, before, limit);
  }

  async heads(logs: readonly LogId[]): Promise<number[]> {
    return headsOf(this.#reading, logs);
  }

  async find(log: LogId, producer: string, number: number): Promise<number | undefined> {
    return seqOfKey(this.#reading, log, producer, number);
  }

  async positions(of: readonly { readonly log: LogId; readonly reader: string }[]): Promise<number[]> {
    return positionsOf(this.#reading, of);
  }

  async readers(log: LogId, after: string, count: number): Promise<ReaderPosition[]> {
    return readersOf(this.#reading, log, after, count);
  }

  async records(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return recordsOf(this.#reading, keys);
  }

  async list(prefix: string, after: string, count: number): Promise<StoredRecord[]> {
    return recordsWith(this.#reading, prefix, after, count);
  }

  get #reading(): Readers {
    this.#check();
    return this.#readers;
  }

  // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Commits that were asked for before are carried out first. */
  close(): Promise<void> {
    this.#clock.stop();
    this.#closing ??= this.#lanes.idle().then(async () => {
      await Promise.all([this.#primary.close(), this.#readers.close()]);
    });
    return this.#closing;
  }

  #check(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

function isEmpty({ appends, advances, puts }: Batch): boolean {
  return appends.length === 0 && advances.length === 0 && puts.length === 0;
}

function randomEpoch(): string {
  return randomBytes(16).toString("base64url");
}
