import type { ByteReader, ByteWriter } from "./bytes.ts";

/**
 * Where the entries of 32 neighbouring numbers of a producer are: a bit for each number that was stored, and the
 * seqs in the order of the numbers. Any number is found by one exact read of its chunk, whatever the order in which
 * numbers came; and numbers that rise by one cost one small rewrite per commit and one stored key per 32.
 */
export interface NumberChunk {
  bits: number;
  readonly seqs: number[];
}

/** Number 0 (ids that are not numbered) has chunk 0 for itself; 1..32 are in chunk 1, and so on. */
export function chunkOf(number: number): number {
  return number === 0 ? 0 : 1 + Math.floor((number - 1) / 32);
}

export function seqIn(chunk: NumberChunk, number: number): number | undefined {
  const bit = bitOf(number);
  return (chunk.bits >>> bit) & 1 ? chunk.seqs[indexOf(chunk, bit)] : undefined;
}

/** What is in the chunk with that index, ascending by number. */
export function* numbersIn(
  { bits, seqs }: NumberChunk,
  index: number,
): Generator<[number: number, seq: number]> {
  let at = 0;
  for (let bit = 0; bit < 32; bit++) {
    if (((bits >>> bit) & 1) === 0) continue;
    yield [index === 0 ? 0 : (index - 1) * 32 + bit + 1, seqs[at++] as number];
  }
}

export function insert(chunk: NumberChunk, number: number, seq: number): void {
  const bit = bitOf(number);
  const index = indexOf(chunk, bit);
  if (index === chunk.seqs.length) chunk.seqs.push(seq);
  else chunk.seqs.splice(index, 0, seq);
  chunk.bits = (chunk.bits | (1 << bit)) >>> 0;
}

export function writeChunk(writer: ByteWriter, chunk: NumberChunk): void {
  writer.varint(chunk.bits);
  let previous = 0;
  for (const seq of chunk.seqs) {
    writer.signed(seq - previous);
    previous = seq;
  }
}

export function readChunk(reader: ByteReader): NumberChunk {
  const bits = reader.varint();
  const seqs: number[] = [];
  let seq = 0;
  for (let i = countBits(bits); i > 0; i--) {
    seq += reader.signed();
    seqs.push(seq);
  }
  return { bits, seqs };
}

function bitOf(number: number): number {
  return number === 0 ? 0 : (number - 1) % 32;
}

/** How many stored numbers are below the bit. */
function indexOf(chunk: NumberChunk, bit: number): number {
  return countBits(chunk.bits & ((1 << bit) - 1));
}

function countBits(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x5555_5555);
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333);
  return (((n + (n >>> 4)) & 0x0f0f_0f0f) * 0x0101_0101) >>> 24;
}
