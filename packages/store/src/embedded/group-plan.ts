import type { Append, AppendOutcome, Batch, CommitOutcome, LogId } from "@hongyan/core";
import { digestOf } from "../digest.ts";
import { asBuffer, ByteReader, ByteWriter } from "./bytes.ts";
import type { Caches } from "./caches.ts";
import { CursorPlan } from "./cursor-plan.ts";
import type { KeyValue, Operation } from "./key-value.ts";
import { chunkKey, digestChunkKey, recordKey, stateKey } from "./keys.ts";
import { LogPlan } from "./log-plan.ts";
import { decodeLogState, needsChunk, newLogState } from "./log-state.ts";
import { chunkOf, readChunk } from "./number-chunk.ts";
import { RecordPlan } from "./record-plan.ts";
import type { StoreStatistics } from "./statistics.ts";

/** An append whose key names a stored entry: its body is compared with the stored one. */
export interface Repeat {
  readonly append: Append;
  readonly seq: number;
  /** Where the outcome goes. */
  readonly outcomes: AppendOutcome[];
  readonly index: number;
}

/**
 * A group of batches that is committed by one write:
 *
 *   load    what the group must know and memory does not: two exact multi-gets at most, mostly none
 *   decide  the outcome of each put and append, batch after batch, on copies
 *   write   (by the caller) all that changed, at once
 *   settle  only now do caches, and through them readers, see it
 */
export class GroupPlan {
  readonly outcomes: CommitOutcome[] = [];
  readonly repeats: Repeat[] = [];
  readonly #batches: readonly Batch[];
  readonly #caches: Caches;
  readonly #statistics: StoreStatistics;
  readonly #logs = new Map<LogId, LogPlan>();
  readonly #records = new RecordPlan();
  readonly #cursors: CursorPlan;
  readonly #states: { readonly log: LogId; readonly state: Buffer }[] = [];

  constructor(batches: readonly Batch[], caches: Caches, statistics: StoreStatistics) {
    this.#batches = batches;
    this.#caches = caches;
    this.#statistics = statistics;
    this.#cursors = new CursorPlan(caches);
  }

  async load(keyValue: KeyValue): Promise<void> {
    const cold = this.#collect();
    const recordNames = [...this.#records.keys];
    const cursorKeys = this.#cursors.keys;
    const keys = [...cold.map(stateKey), ...cursorKeys, ...recordNames.map(recordKey)];
    if (keys.length > 0) {
      const values = await keyValue.getMany(keys);
      for (let i = 0; i < cold.length; i++) this.#addCold(cold[i] as LogId, values[i]);
      this.#cursors.load(values.slice(cold.length, cold.length + cursorKeys.length));
      const first = cold.length + cursorKeys.length;
      for (let i = 0; i < recordNames.length; i++)
        this.#records.load(recordNames[i] as string, values[first + i]);
    }
    await this.#loadChunks(keyValue);
  }

  /** Registers all that the batches touch; returns the logs that are not in memory. */
  #collect(): LogId[] {
    const cold = new Set<LogId>();
    for (const { appends, advances, puts } of this.#batches) {
      for (const { log } of appends) {
        if (this.#logs.has(log) || cold.has(log)) continue;
        const cached = this.#caches.state(log);
        if (cached === undefined) cold.add(log);
        else this.#addLog(log, cached);
      }
      for (const advance of advances) this.#cursors.advance(advance);
      for (const { key } of puts) this.#records.expect(key);
    }
    this.#statistics.logCacheHits += this.#logs.size;
    this.#statistics.logCacheMisses += cold.size;
    return [...cold];
  }

  #addCold(log: LogId, state: Uint8Array | undefined): void {
    if (state !== undefined) this.#caches.setState(log, asBuffer(state));
    this.#addLog(log, state);
  }

  #addLog(log: LogId, state: Uint8Array | undefined): void {
    this.#logs.set(log, new LogPlan(log, state === undefined ? newLogState() : decodeLogState(state)));
  }

  async #loadChunks(keyValue: KeyValue): Promise<void> {
    const wanted = new Map<string, { plan: LogPlan; producer: string; chunk: number; isDigested: boolean }>();
    for (const { appends } of this.#batches) {
      for (const { log, producer, number } of appends) {
        if (producer === "") continue;
        const plan = this.#logs.get(log) as LogPlan;
        const chunk = chunkOf(number);
        const isWanted = needsChunk(plan.state, producer, number);
        // Mostly neither: then not even its name is made.
        if (!isWanted && !plan.state.digests) continue;
        const name = `${log.length}:${log}${chunk}:${producer}`;
        if (isWanted) wanted.set(name, { plan, producer, chunk, isDigested: false });
        if (plan.state.digests) wanted.set(`D${name}`, { plan, producer, chunk, isDigested: true });
      }
    }
    if (wanted.size === 0) return;
    this.#statistics.keyLookups += wanted.size;
    const chunks = [...wanted.values()];
    const values = await keyValue.getMany(
      chunks.map(({ plan, producer, chunk, isDigested }) =>
        isDigested
          ? digestChunkKey(plan.log, digestOf(producer), chunk)
          : chunkKey(plan.log, producer, chunk),
      ),
    );
    for (let i = 0; i < chunks.length; i++) {
      const { plan, producer, chunk, isDigested } = chunks[i] as (typeof chunks)[number];
      const value = values[i];
      if (value === undefined) continue;
      const numbers = readChunk(new ByteReader(value));
      if (isDigested) plan.loadDigested(producer, chunk, numbers);
      else plan.load(producer, chunk, numbers);
    }
  }

  decide(): void {
    const headOf = (log: LogId): number => (this.#logs.get(log) as LogPlan).state.head;
    for (const batch of this.#batches) {
      const puts: (number | undefined)[] = [];
      for (const put of batch.puts) puts.push(this.#records.put(put, puts, headOf));
      const appends: AppendOutcome[] = [];
      for (const append of batch.appends) {
        if (append.guard !== undefined && puts[append.guard] === undefined) {
          appends.push({ status: "refused", seq: 0, time: 0 });
          continue;
        }
        const outcome = (this.#logs.get(append.log) as LogPlan).append(append);
        if (typeof outcome === "number") {
          this.repeats.push({ append, seq: outcome, outcomes: appends, index: appends.length });
          // Stands until the body was compared; and for good where the entry was trimmed.
          appends.push({ status: "duplicate", seq: outcome, time: 0 });
        } else {
          appends.push(outcome);
        }
      }
      this.outcomes.push({ appends, puts });
    }
  }

  /** All that changes; empty where the group only repeats what is stored. */
  operations(): Operation[] {
    const writer = new ByteWriter();
    const operations: Operation[] = [];
    for (const plan of this.#logs.values()) {
      if (plan.changed) this.#states.push({ log: plan.log, state: plan.writeTo(operations, writer) });
    }
    this.#cursors.writeTo(operations, writer);
    this.#records.writeTo(operations, writer);
    return operations;
  }

  /** Call once the disk has the operations. */
  settle(): void {
    for (const { log, state } of this.#states) this.#caches.setState(log, state);
    this.#cursors.settle();
    this.#statistics.commits += this.#batches.length;
    for (const { appends } of this.outcomes) {
      for (const { status } of appends) {
        if (status === "stored") this.#statistics.appendsStored++;
        else if (status === "duplicate") this.#statistics.appendsDuplicate++;
      }
    }
  }
}
