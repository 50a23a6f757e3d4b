import type { LogId } from "@hongyan/core";
import type { EntryKey, Producer } from "../copy/items.ts";
import { ByteReader } from "./bytes.ts";
import { pagesOf } from "./copy-scan.ts";
import type { KeyValue } from "./key-value.ts";
import { kind, lastNumberOf, logRange, stateKey } from "./keys.ts";
import { decodeLogState } from "./log-state.ts";
import { type NumberChunk, numbersIn, readChunk } from "./number-chunk.ts";

/** Seqs of one window: about 5 MB of keys. */
const seqsMax = 32_768;

/**
 * The idempotency keys of neighbouring entries. They are stored by producer and number, which is how a commit asks for
 * them; here all of a log are read, and those of a window of its entries are kept. So a log of any length is copied in
 * bounded memory: one of ten million entries reads its 300,000 chunks 300 times, which is a minute.
 */
export class KeyWindow {
  readonly log: LogId;
  readonly after: number;
  readonly upTo: number;
  readonly #keys = new Map<number, EntryKey>();

  static async read(keyValue: KeyValue, log: LogId, after: number, upTo: number): Promise<KeyWindow> {
    const window = new KeyWindow(log, after, Math.min(upTo, after + seqsMax));
    const [stored] = await keyValue.getMany([stateKey(log)]);
    if (stored === undefined) return window;
    const { head, open, digests } = decodeLogState(stored);
    let known = 0;
    for (const { producer, chunk, numbers } of open) {
      known += numbers.seqs.length;
      window.#take(producer, chunk, numbers);
    }
    // An entry has one key at most: where the state names them all, there are no chunks.
    if (known < head) await window.#scan(keyValue, kind.chunk, producerOf);
    if (digests) await window.#scan(keyValue, kind.digestChunk, digestIn);
    return window;
  }

  private constructor(log: LogId, after: number, upTo: number) {
    this.log = log;
    this.after = after;
    this.upTo = upTo;
  }

  has(log: LogId, after: number): boolean {
    return log === this.log && after >= this.after && after < this.upTo;
  }

  keyOf(seq: number): EntryKey | undefined {
    return this.#keys.get(seq);
  }

  async #scan(
    keyValue: KeyValue,
    kind: number,
    read: (key: Buffer, from: number) => Producer,
  ): Promise<void> {
    const range = logRange(kind, this.log);
    for await (const pairs of pagesOf(keyValue, range))
      for (const [key, value] of pairs) {
        const numbers = readChunk(new ByteReader(value));
        if (!numbers.seqs.some((seq) => this.#covers(seq))) continue;
        this.#take(read(Buffer.from(key), range.gte.length), lastNumberOf(key), numbers);
      }
  }

  #take(producer: Producer, chunk: number, numbers: NumberChunk): void {
    for (const [number, seq] of numbersIn(numbers, chunk))
      if (this.#covers(seq)) this.#keys.set(seq, { producer, number });
  }

  #covers(seq: number): boolean {
    return seq > this.after && seq <= this.upTo;
  }
}

function producerOf(key: Buffer, from: number): string {
  return key.toString("utf8", from + 2, key.length - 8);
}

function digestIn(key: Buffer, from: number): Buffer {
  return key.subarray(from + 1, key.length - 8);
}
