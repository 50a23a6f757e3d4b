import type { Append, AppendOutcome, Entry, LogId } from "@hongyan/core";
import { type Block, toBlocks } from "./block.ts";
import type { ByteWriter } from "./bytes.ts";
import type { Operation } from "./key-value.ts";
import { chunkKey, entriesKey, entriesPrefix, stateKey } from "./keys.ts";
import { type ChunkTable, encodeLogState, type LogState, remember, seqOfNumber } from "./log-state.ts";
import { chunkOf, type NumberChunk, seqIn, writeChunk } from "./number-chunk.ts";

interface TableChunk {
  readonly producer: string;
  readonly chunk: number;
  readonly numbers: NumberChunk;
  dirty: boolean;
}

/** What one group does to one log. Nothing of it shows before the disk has it. */
export class LogPlan implements ChunkTable {
  readonly log: LogId;
  readonly #state: LogState;
  readonly #fresh: Entry[] = [];
  #chunks: Map<string, TableChunk> | undefined;
  /** Of producers whose digest alone is stored; they are only read. */
  #digested: Map<string, NumberChunk> | undefined;

  constructor(log: LogId, state: LogState) {
    this.log = log;
    this.#state = state;
  }

  get state(): LogState {
    return this.#state;
  }

  get changed(): boolean {
    return this.#fresh.length > 0;
  }

  /** The outcome; or the seq of the entry that the key names on disk, whose body decides. */
  append(append: Append): AppendOutcome | number {
    const { producer, number, time, body } = append;
    if (producer !== "") {
      const known = seqOfNumber(this.#state, this, producer, number) ?? this.#digestedSeq(producer, number);
      if (known !== undefined) return this.#again(known, append);
    }
    const seq = ++this.#state.head;
    this.#fresh.push({ seq, time, body });
    if (producer !== "") remember(this.#state, this, producer, number, seq);
    return { status: "stored", seq, time };
  }

  #again(seq: number, { body }: Append): AppendOutcome | number {
    const first = this.#fresh[0]?.seq ?? Number.POSITIVE_INFINITY;
    if (seq < first) return seq;
    return compareWith(this.#fresh[seq - first] as Entry, body);
  }

  /** Adds what writes the plan; returns the log's new state in bytes. */
  writeTo(operations: Operation[], writer: ByteWriter): Buffer {
    const prefix = entriesPrefix(this.log);
    const blocks: Block[] = toBlocks(writer, this.#fresh);
    for (const { last, value } of blocks) operations.push({ key: entriesKey(prefix, last), value });
    // Before the chunks: making room in the state moves chunks out of it.
    const state = encodeLogState(writer, this.#state, this);
    operations.push({ key: stateKey(this.log), value: state });
    if (this.#chunks !== undefined) {
      for (const { producer, chunk, numbers, dirty } of this.#chunks.values()) {
        if (!dirty) continue;
        writeChunk(writer, numbers);
        operations.push({ key: chunkKey(this.log, producer, chunk), value: writer.take() });
      }
    }
    return state;
  }

  // ── Chunks outside of the state ──────────────────────────────────────────────────────────────────────────────

  get(producer: string, chunk: number): NumberChunk | undefined {
    return this.#chunks?.get(`${chunk}:${producer}`)?.numbers;
  }

  set(producer: string, chunk: number, numbers: NumberChunk): void {
    this.#add({ producer, chunk, numbers, dirty: true });
  }

  /** A chunk as the disk has it. */
  load(producer: string, chunk: number, numbers: NumberChunk): void {
    this.#add({ producer, chunk, numbers, dirty: false });
  }

  /** Likewise, stored under the producer's digest. */
  loadDigested(producer: string, chunk: number, numbers: NumberChunk): void {
    this.#digested ??= new Map();
    this.#digested.set(`${chunk}:${producer}`, numbers);
  }

  #digestedSeq(producer: string, number: number): number | undefined {
    const numbers = this.#digested?.get(`${chunkOf(number)}:${producer}`);
    return numbers && seqIn(numbers, number);
  }

  #add(added: TableChunk): void {
    this.#chunks ??= new Map();
    this.#chunks.set(`${added.chunk}:${added.producer}`, added);
  }
}

/** The answer to an append whose key names `entry`. */
export function compareWith(entry: Entry, body: Uint8Array): AppendOutcome {
  const same = Buffer.compare(entry.body, body) === 0;
  return { status: same ? "duplicate" : "conflict", seq: entry.seq, time: entry.time };
}
