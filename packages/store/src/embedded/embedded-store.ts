import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type {
  Batch,
  CommitOutcome,
  CursorId,
  Entry,
  Journal,
  LogId,
  PageLimit,
  ReaderPosition,
  Store,
  StoredRecord,
} from "@hongyan/core";
import { checkBatch } from "@hongyan/core/memory";
import { StoreError } from "../store-error.ts";
import { Caches } from "./caches.ts";
import { openLevel, probeDirectory } from "./classic-level.ts";
import { CommitQueue } from "./commit-queue.ts";
import { EmbeddedSource } from "./copy-source.ts";
import { EmbeddedTarget } from "./copy-target.ts";
import { prepareData } from "./data-format.ts";
import { GroupPlan } from "./group-plan.ts";
import { checkAfter, checkBefore } from "./holes.ts";
import type { KeyValue, Operation } from "./key-value.ts";
import { readAfter, readBefore } from "./log-reader.ts";
import { headsOf, listRecords, positionsOf, readersOf, recordsOf, seqOfKey } from "./lookups.ts";
import { eraseImport, importBegin, importEnd, movedMark, movedTo, refuseMoved } from "./marks.ts";
import type { EmbeddedStoreOptions, OverOptions } from "./options.ts";
import type { Disk } from "./recovery.ts";
import { settleRepeats } from "./repeats.ts";
import { newStatistics, type StoreStatistics } from "./statistics.ts";
import { trimLog } from "./trim.ts";
import { closed, Volume } from "./volume.ts";

/** Damaged logs that the journal is told of. */
const damagedLogsMax = 1000;

/**
 * The default store: LevelDB in the process, every commit synced to disk before it resolves (G1), concurrent commits
 * in one write. Bytes handed to `commit` must not change before its promise settles.
 *
 * When a write fails, commits are rejected until the disk was opened anew and took a synced write; that happens by
 * itself. Reads go on meanwhile, but for the moment of opening. The same where the directory was deleted or moved away.
 */
export class EmbeddedStore implements Store {
  readonly epoch: string;
  readonly #place: string;
  readonly #volume: Volume;
  readonly #caches: Caches;
  readonly #queue: CommitQueue;
  readonly #statistics: StoreStatistics = newStatistics();
  readonly #journal: Journal | undefined;
  readonly #damagedLogs = new Set<LogId>();
  #movedTo: string | undefined;
  #closing: Promise<void> | undefined;

  /** Rejects with `StoreError`: `locked`, `unwritable`, `newer_format`, `foreign`, `moved`. */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
    const directory = resolve(options.directory);
    const blockCacheBytes = options.blockCacheBytes ?? 32 * 1024 * 1024;
    const { journal } = options;
    const keyValue = await openLevel({ directory, blockCacheBytes, create: options.create ?? true, journal });
    const disk: Disk = {
      probe: () => probeDirectory(directory),
      reopen: () => openLevel({ directory, blockCacheBytes, create: false, journal }),
    };
    return EmbeddedStore.over(keyValue, { ...options, disk, place: `The data directory ${directory}` });
  }

  /** The same store over another key-value; it owns it from now on, and closes it also when this rejects. */
  static async over(keyValue: KeyValue, options: OverOptions = {}): Promise<EmbeddedStore> {
    const { place = "The store", createEpoch = randomEpoch } = options;
    try {
      const epoch = await prepareData(keyValue, place, createEpoch);
      const moved = await movedTo(keyValue);
      if (options.opensMoved !== true) refuseMoved(place, moved);
      const erased = await eraseImport(keyValue);
      if (erased !== undefined) options.journal?.warn("store.import_erased", { place, prefix: erased });
      return new EmbeddedStore(keyValue, { epoch, movedTo: moved }, { ...options, place });
    } catch (error) {
      await keyValue.close();
      throw error;
    }
  }

  private constructor(
    keyValue: KeyValue,
    { epoch, movedTo }: { readonly epoch: string; readonly movedTo: string | undefined },
    options: OverOptions,
  ) {
    const {
      cacheBytesMax = 64 * 1024 * 1024,
      queueBytesMax = 64 * 1024 * 1024,
      place = "The store",
    } = options;
    this.epoch = epoch;
    this.#place = place;
    this.#movedTo = movedTo;
    this.#journal = options.journal;
    this.#caches = new Caches(cacheBytesMax);
    this.#queue = new CommitQueue(queueBytesMax, (batches) => this.#commitGroup(batches));
    this.#volume = new Volume({
      keyValue,
      epoch,
      place,
      disk: options.disk,
      delay: options.delay ?? ((ms, signal) => delay(ms, undefined, { signal })),
      journal: options.journal,
      failed: () => {
        this.#statistics.writeFailures++;
        this.#caches.clear();
      },
      recovered: () => {
        // Readers have gone on, with what was open before.
        this.#caches.clear();
        this.#statistics.recoveries++;
      },
    });
  }

  /** Totals since the start; live. */
  get statistics(): Readonly<StoreStatistics> {
    return this.#statistics;
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

  async commit(batch: Batch): Promise<CommitOutcome> {
    this.#check();
    checkBatch(batch);
    refuseMoved(this.#place, this.#movedTo);
    // Refuses here what could not be written, so that a queue of it does not build up.
    void this.#volume.writing;
    return this.#queue.commit(batch);
  }

  async trim(log: LogId, upTo: number): Promise<void> {
    this.#check();
    refuseMoved(this.#place, this.#movedTo);
    await this.#queue.alone(() => trimLog(this.#volume, log, upTo));
  }

  async #commitGroup(batches: readonly Batch[]): Promise<CommitOutcome[]> {
    const keyValue = this.#volume.writing;
    const plan = new GroupPlan(batches, this.#caches, this.#statistics);
    await plan.load(keyValue);
    plan.decide();
    const operations = plan.operations();
    const [written, compared] = await Promise.allSettled([
      operations.length > 0 ? this.#volume.write(operations) : undefined,
      plan.repeats.length > 0 ? settleRepeats(keyValue, plan.repeats) : undefined,
    ]);
    if (written.status === "rejected") throw written.reason;
    if (operations.length > 0) this.#statistics.writes++;
    for (const { key, value } of operations)
      this.#statistics.bytesWritten += key.length + (value?.length ?? 0);
    plan.settle();
    if (compared.status === "rejected") throw compared.reason;
    return plan.outcomes;
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

  async read(log: LogId, after: number, limit: PageLimit): Promise<Entry[]> {
    const place = { keyValue: this.#reading, caches: this.#caches, log };
    const page = await readAfter(place.keyValue, log, after, limit);
    await checkAfter(place, page, after).catch((error) => this.#damaged(log, error));
    return page.entries;
  }

  async readBack(log: LogId, before: number, limit: PageLimit): Promise<Entry[]> {
    const place = { keyValue: this.#reading, caches: this.#caches, log };
    const page = await readBefore(place.keyValue, log, before, limit);
    await checkBefore(place, page, before).catch((error) => this.#damaged(log, error));
    return page.entries;
  }

  async heads(logs: readonly LogId[]): Promise<number[]> {
    return headsOf(this.#reading, this.#caches, logs);
  }

  async find(log: LogId, producer: string, number: number): Promise<number | undefined> {
    return seqOfKey(this.#reading, log, producer, number);
  }

  async positions(of: readonly CursorId[]): Promise<number[]> {
    return positionsOf(this.#reading, this.#caches, of);
  }

  async readers(log: LogId, after: string, count: number): Promise<ReaderPosition[]> {
    return readersOf(this.#reading, log, after, count);
  }

  async records(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return recordsOf(this.#reading, keys);
  }

  async list(prefix: string, after: string, count: number): Promise<StoredRecord[]> {
    return listRecords(this.#reading, prefix, after, count);
  }

  /** Tells the journal of a damaged log, once: whoever reads it asks again and again. */
  #damaged(log: LogId, error: unknown): never {
    const isNew = error instanceof StoreError && error.code === "damaged" && !this.#damagedLogs.has(log);
    if (isNew && this.#damagedLogs.size < damagedLogsMax) {
      this.#damagedLogs.add(log);
      this.#journal?.warn("store.damaged", { log, error: error.message });
    }
    throw error;
  }

  // ── Moving ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** All that is here, to be copied while the store is used. */
  get copySource(): EmbeddedSource {
    return new EmbeddedSource(this.epoch, () => this.#reading);
  }

  /** Where the data were moved to; undefined: they live here. */
  get movedTo(): string | undefined {
    return this.#movedTo;
  }

  /**
   * From now on, and whenever it is opened again, the store takes no writes: its data live on in `place`, which is a
   * name for people. Where it rejects, it is open whether the mark is found later.
   */
  async markMoved(place: string): Promise<void> {
    this.#check();
    await this.#queue.alone(() => this.#volume.write([movedMark(place)]));
    this.#movedTo = place;
    this.#volume.unwatch();
  }

  /**
   * Lets everything come in whose log or key begins with `prefix`, of which the store must have nothing. Until
   * `importEnd` it is a part that goes away with the next opening.
   */
  async importBegin(prefix: string): Promise<EmbeddedTarget> {
    this.#check();
    refuseMoved(this.#place, this.#movedTo);
    const write = (operations: readonly Operation[]): Promise<void> =>
      this.#queue.alone(() => this.#volume.write(operations));
    await write([importBegin(prefix)]);
    const { copySource } = this;
    return new EmbeddedTarget({
      reading: () => this.#reading,
      marks: (logs) => copySource.marks(logs),
      write,
    });
  }

  async importEnd(): Promise<void> {
    await this.#queue.alone(() => this.#volume.write([importEnd]));
  }

  get #reading(): KeyValue {
    this.#check();
    return this.#volume.reading;
  }

  // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Commits that were asked for before are carried out first. */
  close(): Promise<void> {
    this.#closing ??= this.#queue.idle().then(() => this.#volume.close());
    return this.#closing;
  }

  #check(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

function randomEpoch(): string {
  return randomBytes(16).toString("base64url");
}
