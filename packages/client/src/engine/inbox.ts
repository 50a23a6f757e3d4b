import type { ClientSettings, Message } from "../api.ts";
import type { Clock } from "../ports.ts";
import { Reading, weight } from "./reading.ts";

/** Entries of one commit at most. */
const runMax = 512;
const retryDelayMsFirst = 1_000;
const retryDelayMsMax = 60_000;

/** What the inbox needs from the engine. */
export interface InboxSurroundings {
  readonly clock: Clock;
  readonly settings: ClientSettings;
  /** Hands one entry to the application; a promise where it takes time. Throws or rejects where it failed. */
  deliver(message: Message): void | Promise<void>;
  /** Writes a run of entries and the position after them in one commit, then calls `done`. */
  commit(conversation: string, messages: readonly Message[], done: () => void): void;
  /** This device has everything up to `position`, durably, of which `count` entries are new. */
  advanced(conversation: string, position: number, count: number): void;
  /** An entry came again that was committed long ago: the server has missed the acknowledgement. */
  repeated(conversation: string, position: number): void;
  /** Where this device begins in the conversation must be asked. */
  unknown(conversation: string): void;
  /** Entries are missing: `after` is the last one that is here. Ends with `filled`. */
  fill(conversation: string, after: number): void;
  failed(error: unknown): void;
}

/**
 * Step 4 of six, the receiver's side: hands every entry of every conversation to the application once and in order
 * (G4), writes it and the position in one commit, and only then lets it be acknowledged (G5).
 *
 *     push, page, own send ─→ held ─→ handlers ─→ commit ─→ acknowledge
 *                              ↑ hole: history after position
 *
 * What is held, and what is handed over but not yet committed, is bounded in bytes: beyond, entries are dropped;
 * `head` remembers that they exist, and they are fetched again when there is room.
 */
export class Inbox {
  readonly #around: InboxSurroundings;
  readonly #readings = new Map<string, Reading>();
  #committingBytes = 0;
  /** Entries handed over so far. */
  taken = 0;
  /** Readings whose handler is at work, and who waits for there to be none. */
  #delivering = 0;
  #idle: (() => void)[] = [];
  #heldBytes = 0;
  /** While pages are read holes are normal: they are looked at afterwards. */
  #isSyncing = false;
  #isStopping = false;
  #isClosed = false;

  constructor(around: InboxSurroundings) {
    this.#around = around;
  }

  restore(conversation: string, position: number | undefined): void {
    this.#readings.set(conversation, new Reading(conversation, position));
  }

  /** The server's data are others: nothing that is here is part of them. */
  forget(): void {
    this.#readings.clear();
    this.#heldBytes = 0;
  }

  /** Hands over nothing more; what is being handed over is still written. */
  stopDelivering(): void {
    this.#isStopping = true;
  }

  /** Nothing has an effect any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** The last entry that was handed over, undefined while unknown. */
  position(conversation: string): number | undefined {
    const next = this.#readings.get(conversation)?.next;
    return next === undefined ? undefined : next - 1;
  }

  /** Takes an entry from wherever it comes. The body is kept: it must not share memory that is used again. */
  accept(message: Message): void {
    const reading = this.#reading(message.conversation);
    if (message.seq > reading.head) reading.head = message.seq;
    // The first entry of all: nothing is before it.
    if (message.seq === 1 && reading.next === undefined) {
      reading.begin(0);
      reading.isFilling = false;
    }
    if (reading.next !== undefined && message.seq < reading.next) {
      if (message.seq <= reading.committed) this.#around.repeated(message.conversation, reading.committed);
      return;
    }
    if (!this.#hasRoom(reading, message)) return this.#look(reading);
    this.#hold(reading, message);
    if (reading.next === undefined) return this.#askWhereToBegin(reading);
    this.#run(reading);
    this.#look(reading);
  }

  /** The server says where things are: this device's cursor, the first readable entry, the last one. */
  learn(
    conversation: string,
    { position, first, head }: { position: number; first: number; head: number },
  ): void {
    const reading = this.#reading(conversation);
    reading.head = Math.max(reading.head, head);
    if (reading.next === undefined) {
      reading.begin(Math.max(position, first - 1));
      reading.isFilling = false;
      this.#forgetBelow(reading);
    } else if (!reading.isDelivering) this.#skip(reading, first);
    this.#run(reading);
    this.#look(reading);
  }

  /** Where a conversation begins that the server does not list (the user has left it): at the first entry it sends. */
  beginAt(conversation: string, first: number): void {
    const reading = this.#reading(conversation);
    if (reading.next === undefined) reading.begin(first - 1);
    reading.isFilling = false;
  }

  /** The question of `unknown` could not be answered: what is held is let go, and asked about when more comes. */
  giveUp(conversation: string): void {
    if (this.position(conversation) === undefined) this.abandon(conversation);
  }

  /**
   * The answer to `fill`: entries in ascending order, complete between `after` and the last of them. What is
   * missing among them is gone for good. `undefined`: there was no answer.
   */
  filled(conversation: string, after: number, messages: readonly Message[] | undefined): void {
    const reading = this.#readings.get(conversation);
    if (reading === undefined) return;
    reading.isFilling = false;
    const before = reading.next;
    for (const message of messages ?? []) {
      const { next } = reading;
      if (next !== undefined && next > after && next < message.seq && !reading.isDelivering)
        this.#skip(reading, message.seq);
      after = message.seq;
      if (next === undefined || message.seq >= next) this.accept(message);
    }
    if (reading.next === before && !reading.isDelivering) {
      // Nothing new came: the server may not see yet what it has pushed. Ask again, but not at once.
      reading.failures++;
      this.#later(reading);
    } else this.#look(reading);
  }

  /** The conversation cannot be read any more: nothing of it is waited for. */
  abandon(conversation: string): void {
    const reading = this.#readings.get(conversation);
    if (reading === undefined) return;
    reading.isFilling = false;
    this.#heldBytes -= reading.heldBytes;
    reading.letGo();
  }

  /** While it is set nothing is asked for: pages are being read, or there is no connection. */
  set syncing(isSyncing: boolean) {
    this.#isSyncing = isSyncing;
    if (isSyncing) return;
    for (const reading of this.#readings.values()) {
      if (!reading.isDelivering) reading.failures = 0;
      this.#look(reading);
    }
  }

  /** The connection is gone, and with it every question that was on its way. */
  disconnected(): void {
    for (const reading of this.#readings.values()) reading.isFilling = false;
  }

  /** The next entry waits only for the disk, not for what is held elsewhere, and always fits alone. */
  #hasRoom(reading: Reading, message: Message): boolean {
    const max = this.#around.settings.holdBackBytesMax - weight(message);
    if (message.seq === reading.next) return this.#committingBytes === 0 || this.#committingBytes <= max;
    return this.#heldBytes + this.#committingBytes <= max;
  }

  #reading(conversation: string): Reading {
    let reading = this.#readings.get(conversation);
    if (reading === undefined) {
      reading = new Reading(conversation, undefined);
      this.#readings.set(conversation, reading);
    }
    return reading;
  }

  #hold(reading: Reading, message: Message): void {
    this.#heldBytes -= reading.heldBytes;
    reading.hold(message);
    this.#heldBytes += reading.heldBytes;
  }

  #skip(reading: Reading, first: number): void {
    reading.skipTo(first);
    this.#forgetBelow(reading);
  }

  #forgetBelow(reading: Reading): void {
    this.#heldBytes -= reading.heldBytes;
    reading.forgetBelow();
    this.#heldBytes += reading.heldBytes;
  }

  /** Hands over what is in order. Without a handler that takes time all of it happens at once. */
  #run(reading: Reading): void {
    if (reading.isDelivering || reading.next === undefined) return;
    let run: Message[] = [];
    while (!this.#isStopping && !this.#isClosed && reading.next !== undefined) {
      const message = this.#peek(reading);
      if (message === undefined || run.length >= runMax) {
        if (run.length === 0) return;
        this.#commit(reading, run);
        run = [];
        continue;
      }
      let working: void | Promise<void>;
      try {
        working = this.#around.deliver(message);
      } catch (error) {
        this.#commit(reading, run);
        return this.#refused(reading, error);
      }
      if (working === undefined) {
        this.#taken(reading, message);
        run.push(message);
        continue;
      }
      this.#commit(reading, run);
      this.#occupy(reading);
      working.then(
        () => {
          this.#free(reading, () => {
            this.#taken(reading, message);
            this.#commit(reading, [message]);
          });
        },
        (error: unknown) => {
          this.#free(reading, () => this.#refused(reading, error));
        },
      );
      return;
    }
  }

  /** The client has stopped, or the reading was forgotten with its epoch. */
  #isGone(reading: Reading): boolean {
    return this.#isClosed || this.#readings.get(reading.conversation) !== reading;
  }

  #peek(reading: Reading): Message | undefined {
    return reading.next === undefined ? undefined : reading.held.get(reading.next);
  }

  #taken(reading: Reading, message: Message): void {
    this.#heldBytes -= reading.heldBytes;
    reading.take(message.seq);
    this.#heldBytes += reading.heldBytes;
    reading.next = message.seq + 1;
    reading.failures = 0;
    this.taken++;
  }

  #commit(reading: Reading, run: readonly Message[]): void {
    const last = run.at(-1);
    if (last === undefined) return;
    let bytes = 0;
    for (const message of run) bytes += weight(message);
    this.#committingBytes += bytes;
    this.#around.commit(reading.conversation, run, () => {
      this.#committingBytes -= bytes;
      if (this.#isGone(reading)) return;
      reading.committed = last.seq;
      this.#around.advanced(reading.conversation, last.seq, run.length);
    });
  }

  #refused(reading: Reading, error: unknown): void {
    this.#around.failed(error);
    reading.failures++;
    this.#occupy(reading);
    this.#around.clock.setTimer(this.#retryDelayMs(reading), () => this.#free(reading, () => undefined));
  }

  #occupy(reading: Reading): void {
    reading.isDelivering = true;
    this.#delivering++;
  }

  /** The handler is done, or its pause is over: the next entries follow. */
  #free(reading: Reading, then: () => void): void {
    reading.isDelivering = false;
    this.#delivering--;
    if (!this.#isGone(reading)) {
      then();
      this.#run(reading);
      this.#look(reading);
    }
    if (this.#delivering > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  /** Resolves when no handler is at work: everything in order has been handed over. */
  idle(): Promise<void> {
    if (this.#delivering === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #retryDelayMs(reading: Reading): number {
    return Math.min(retryDelayMsMax, retryDelayMsFirst * 2 ** Math.min(reading.failures - 1, 10));
  }

  #askWhereToBegin(reading: Reading): void {
    if (reading.isFilling || this.#isSyncing) return;
    reading.isFilling = true;
    this.#around.unknown(reading.conversation);
  }

  /** Asks for what is missing, after a moment in which it may still come by itself. */
  #look(reading: Reading): void {
    if (reading.isFilling || this.#isSyncing || this.#isClosed) return;
    if (reading.next === undefined) {
      if (reading.held.size > 0) this.#askWhereToBegin(reading);
      return;
    }
    if (!reading.hasHole) return;
    this.#fillAfter(reading, this.#around.settings.holeDelayMs);
  }

  #later(reading: Reading): void {
    if (reading.hasHole) this.#fillAfter(reading, this.#retryDelayMs(reading));
  }

  #fillAfter(reading: Reading, delayMs: number): void {
    reading.isFilling = true;
    this.#around.clock.setTimer(delayMs, () => {
      if (this.#isGone(reading) || !reading.isFilling) return;
      if (this.#isSyncing || !reading.hasHole || reading.next === undefined) {
        reading.isFilling = false;
        return;
      }
      this.#around.fill(reading.conversation, reading.next - 1);
    });
  }
}
