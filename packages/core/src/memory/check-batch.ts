import type { Append, Batch, Put } from "../ports.ts";

/**
 * Refuses a batch that no store could carry out exactly, before anything of it is written: numbers that are not
 * safe integers, text that UTF-8 cannot hold or that is endless, guards that point nowhere, heads of logs that are not appended to. Throws `TypeError`; such
 * a batch is a bug of the caller.
 */
export function checkBatch(batch: Batch): void {
  for (const append of batch.appends) checkAppend(append, batch.puts.length);
  for (const advance of batch.advances) {
    checkText(advance.log, "log");
    checkText(advance.reader, "reader");
    checkCount(advance.position, "position");
  }
  for (let i = 0; i < batch.puts.length; i++) {
    const put = batch.puts[i] as Put;
    checkPut(put, i);
    if (put.head !== undefined) checkHead(put.head, batch.appends);
  }
}

/** Differences of two times, of either sign, stay exact. */
const timeMax = 2 ** 52 - 1;

/** Longest id or key in UTF-16 units: in UTF-8 it stays below the 64 KiB that a stored key part may have. */
const textLengthMax = 16_384;

/** Refuses text with lone surrogates (two of them would be one key) and text above `textLengthMax`. */
function checkText(text: string, name: string): void {
  if (typeof text !== "string" || !text.isWellFormed())
    throw new TypeError(`${name} is not well-formed text`);
  if (text.length > textLengthMax) throw new TypeError(`${name} is longer than ${textLengthMax} characters`);
}

function checkAppend(append: Append, puts: number): void {
  checkText(append.log, "log");
  checkText(append.producer, "producer");
  checkCount(append.number, "number");
  checkCount(append.time, "time");
  if (append.time > timeMax) throw new TypeError("time is beyond the year 144,000");
  if (!(append.body instanceof Uint8Array)) throw new TypeError("body is not bytes");
  if (append.guard !== undefined) checkGuard(append.guard, puts);
}

function checkPut(put: Put, index: number): void {
  checkText(put.key, "key");
  if (put.value !== undefined && !(put.value instanceof Uint8Array))
    throw new TypeError("value is not bytes");
  if (put.expect !== undefined) checkCount(put.expect, "expect");
  if (put.guard !== undefined) checkGuard(put.guard, index);
}

function checkHead(head: NonNullable<Put["head"]>, appends: readonly Append[]): void {
  checkCount(head.seq, "head");
  if (!appends.some(({ log }) => log === head.log))
    throw new TypeError(`a put depends on the head of ${head.log}, to which the batch does not append`);
}

function checkGuard(guard: number, below: number): void {
  checkCount(guard, "guard");
  if (guard >= below) throw new TypeError(`guard ${guard} does not name an earlier put of the batch`);
}

function checkCount(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} is not a whole number from 0`);
}
