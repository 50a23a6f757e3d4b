import { hashLine, type Numbering } from "./ledger.ts";

/** Frames or own messages that wait behind a hole; what is beyond is read again with a `sync`. */
const waitingMax = 256;

/** An own message (its line) or a pushed frame (a copy). */
export type Waiting = number | Buffer;

/** What a device has of one group: how far it has been shown, and what it still has to send. */
export class Seat {
  readonly group: number;
  readonly id: string;
  readonly numbering: Numbering;
  /** Everything up to here was shown. */
  position = 0;
  /** Where it began. */
  start = 0;
  /** Over the lines that were shown, in their order. */
  hash = 0;
  /** Everything up to here was acknowledged, and the server has said so. */
  acked = 0;
  /** Messages up to this number are stored; up to that they were sent on this connection. */
  stored = 0;
  sent = 0;
  /** When to send again what is not stored, and how long to wait the next time. */
  retryAtMs = Number.POSITIVE_INFINITY;
  retryDelayMs = 0;
  #waiting: Map<number, Waiting> | undefined;
  /** Numbers beyond `stored` that are stored already. */
  #storedAhead: Set<number> | undefined;

  constructor(group: number, id: string, numbering: Numbering) {
    this.group = group;
    this.id = id;
    this.numbering = numbering;
  }

  adopt(position: number): void {
    this.position = position;
    this.start = position;
    this.acked = position;
  }

  /** Message n is stored; true where that moved `stored`. */
  messageStored(n: number): boolean {
    if (n <= this.stored) return false;
    if (n > this.stored + 1) {
      this.#storedAhead ??= new Set();
      this.#storedAhead.add(n);
      return false;
    }
    this.stored = n;
    while (this.#storedAhead?.delete(this.stored + 1) === true) this.stored++;
    this.sent = Math.max(this.sent, this.stored);
    return true;
  }

  /** Shows the entry behind the last one. */
  show(line: number): void {
    this.position++;
    this.hash = hashLine(this.hash, line);
  }

  /** Keeps what came too early; false where there is no room. */
  wait(seq: number, what: Waiting): boolean {
    this.#waiting ??= new Map();
    if (this.#waiting.size >= waitingMax && typeof what !== "number") return false;
    if (!this.#waiting.has(seq)) this.#waiting.set(seq, what);
    return true;
  }

  /** What waits to be shown next. */
  next(): Waiting | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined || waiting.size === 0) return undefined;
    const seq = this.position + 1;
    const what = waiting.get(seq);
    if (what !== undefined) waiting.delete(seq);
    return what;
  }

  /** Forgets what was shown meanwhile from elsewhere. */
  prune(): void {
    if (this.#waiting === undefined) return;
    for (const seq of this.#waiting.keys()) if (seq <= this.position) this.#waiting.delete(seq);
  }
}
