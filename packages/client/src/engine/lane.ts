import type { LocalMessage } from "../api.ts";

/** A message on its way to the server. */
export interface Sending {
  readonly message: LocalMessage;
  /** On disk: only then may it leave, or its number could be used for another message after a crash (G2). */
  isDurable: boolean;
  /** Id of its latest transmission; 0 while it is not in flight. */
  requestId: number;
  /** Sent without `after`: the server does not know the message before. */
  isUnchained: boolean;
}

/** The unacknowledged messages of one conversation, in the order in which they were sent. The first `inFlight` are in flight. */
export class Lane {
  readonly conversation: string;
  /** Those before `#start` are gone; they are cut off now and then, so that taking the first moves nothing. */
  #queue: Sending[] = [];
  #start = 0;
  inFlight = 0;
  /** How many may be in flight: few after a loss, one more with every answer, so that a bad line is not flooded with repetitions. */
  window: number;
  /** Transmissions of the earliest message since the last progress. */
  attempt = 0;
  /** Nothing is sent until the timer fires: the server asked for patience. */
  isPaused = false;
  cancelTimer: (() => void) | undefined;
  /** When the earliest message in flight counts as lost. */
  dueAt = 0;
  /** The last message of this conversation that is known to be stored. */
  lastStored: string | undefined;

  constructor(conversation: string, window: number) {
    this.conversation = conversation;
    this.window = window;
  }

  get length(): number {
    return this.#queue.length - this.#start;
  }

  at(index: number): Sending {
    return this.#queue[this.#start + index] as Sending;
  }

  push(sending: Sending): void {
    this.#queue.push(sending);
  }

  /** What the message at `index` must follow: the one queued before it, else the last one stored. */
  predecessor(index: number): string | undefined {
    return index > 0 ? this.at(index - 1).message.clientMessageId : this.lastStored;
  }

  /** Takes everything back from flight, so that the next transmission starts with the earliest. Returns the bytes. */
  rewind(): number {
    let bytes = 0;
    for (let index = 0; index < this.inFlight; index++) {
      const sending = this.at(index);
      sending.requestId = 0;
      bytes += sending.message.body.length;
    }
    this.inFlight = 0;
    return bytes;
  }

  /** Takes `sending` out; returns whether it was in flight. */
  remove(sending: Sending): boolean {
    const at = this.#queue.indexOf(sending, this.#start);
    if (at < 0) return false;
    const isInFlight = at - this.#start < this.inFlight;
    if (isInFlight) this.inFlight--;
    if (at === this.#start) this.#takeFirst();
    else this.#queue.splice(at, 1);
    return isInFlight;
  }

  #takeFirst(): void {
    this.#start++;
    if (this.#start < 1024 && this.#start < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#start);
    this.#start = 0;
  }
}
