import type {
  Batch,
  CommitOutcome,
  CursorId,
  Entry,
  LogId,
  PageLimit,
  ReaderPosition,
  Store,
  StoredRecord,
} from "@hongyan/core";
import { checkBatch } from "@hongyan/core/memory";
import { CommitLanes } from "./commit-lanes.ts";
import { GroupRead } from "./group-read.ts";
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
import { type PostgresStoreOptions, poolMaxDefault, queueBytesMaxDefault, serverOptions } from "./options.ts";
import { isEmpty } from "./parts.ts";
import { beHome, homeName, refuseOthers } from "./placement.ts";
import { closed } from "./primary.ts";
import type { Readers } from "./readers.ts";
import { laneCount, Server } from "./server.ts";
import { probe } from "./statements.ts";
import type { PostgresStatistics } from "./statistics.ts";
import { commitGroup } from "./transaction.ts";
import { trimLog } from "./trim.ts";

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
  readonly #server: Server;
  readonly #lanes: CommitLanes;
  readonly #heads = new GroupRead((logs: readonly LogId[]) => headsOf(this.#reading, logs));
  readonly #positions = new GroupRead((of: readonly CursorId[]) => positionsOf(this.#reading, of));
  readonly #records = new GroupRead((keys: readonly string[]) => recordsOf(this.#reading, keys));
  #closing: Promise<void> | undefined;

  /**
   * Makes or migrates the tables. Rejects with `StoreError`: `unreachable`, `unauthorized`, `unsuitable`,
   * `unwritable`, `newer_format`, `foreign`, `unfinished`.
   */
  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const server = await Server.open({
      ...serverOptions(options),
      name: homeName,
      url: options.url,
      place: (writers, place, epoch) => beHome(writers, place, epoch, []),
      settle: (writer, place) => refuseOthers(writer.client, place),
    });
    return new PostgresStore(server, options);
  }

  private constructor(
    server: Server,
    { poolMax = poolMaxDefault, queueBytesMax = queueBytesMaxDefault }: PostgresStoreOptions,
  ) {
    this.epoch = server.primary.epoch;
    this.place = server.address.place;
    this.#server = server;
    this.#lanes = new CommitLanes({
      count: laneCount(poolMax),
      bytesMax: queueBytesMax,
      commitGroup: (lane, batches) => this.#commitGroup(lane, batches),
    });
  }

  /** Totals since the start, and how it is now. */
  get statistics(): Readonly<PostgresStatistics> {
    const { statistics } = this.#server;
    const waiting = this.#heads.waiting + this.#positions.waiting + this.#records.waiting;
    return { ...statistics, readsWaiting: statistics.readsWaiting + waiting };
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

  async commit(batch: Batch): Promise<CommitOutcome> {
    this.#check();
    checkBatch(batch);
    // Refuses here what could not be written, so that a queue of it does not build up.
    void this.#server.primary.writers;
    return this.#lanes.commit(batch);
  }

  async trim(log: LogId, upTo: number): Promise<void> {
    this.#check();
    await this.#lanes.alone(log, (lane) =>
      this.#server.primary.use(lane, (writer) => trimLog(writer, log, upTo)),
    );
  }

  async #commitGroup(lane: number, batches: readonly Batch[]): Promise<CommitOutcome[]> {
    const { memory, counted, primary } = this.#server;
    const outcomes = await primary.use(lane, async (writer) => {
      // Nothing at all is asked for by those who want to know whether the store is back: it writes, too.
      if (batches.every(isEmpty)) await writer.run(probe, []);
      return commitGroup(writer, batches, memory, counted);
    });
    this.#server.committed(lane, batches, outcomes);
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
    this.#check();
    return this.#heads.read(logs);
  }

  async find(log: LogId, producer: string, number: number): Promise<number | undefined> {
    return seqOfKey(this.#reading, log, producer, number);
  }

  async positions(of: readonly CursorId[]): Promise<number[]> {
    this.#check();
    return this.#positions.read(of);
  }

  async readers(log: LogId, after: string, count: number): Promise<ReaderPosition[]> {
    return readersOf(this.#reading, log, after, count);
  }

  async records(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    this.#check();
    return this.#records.read(keys);
  }

  async list(prefix: string, after: string, count: number): Promise<StoredRecord[]> {
    return recordsWith(this.#reading, prefix, after, count);
  }

  get #reading(): Readers {
    this.#check();
    return this.#server.readers;
  }

  // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Commits that were asked for before are carried out first. */
  close(): Promise<void> {
    this.#server.stop();
    this.#closing ??= this.#lanes.idle().then(() => this.#server.close());
    return this.#closing;
  }

  #check(): void {
    if (this.#closing !== undefined) throw closed();
  }
}
