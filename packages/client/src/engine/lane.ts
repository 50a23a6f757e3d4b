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
  readonly queue: Sending[] = [];
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

  /** What `at` must follow: the message queued before it, else the last one stored. */
  predecessor(at: number): string | undefined {
    if (at > 0) return this.queue[at - 1]?.message.clientMessageId;
    return this.lastStored;
  }

  /** Takes everything back from flight, so that the next transmission starts with the earliest. Returns the bytes. */
  rewind(): number {
    let bytes = 0;
    for (let at = 0; at < this.inFlight; at++) {
      const sending = this.queue[at] as Sending;
      sending.requestId = 0;
      bytes += sending.message.body.length;
    }
    this.inFlight = 0;
    return bytes;
  }

  /** Takes `sending` out; returns whether it was in flight. */
  remove(sending: Sending): boolean {
    const at = this.queue.indexOf(sending);
    if (at < 0) return false;
    // Answers come in order: the first is the rule, and taking it does not move the others.
    if (at === 0) this.queue.shift();
    else this.queue.splice(at, 1);
    if (at >= this.inFlight) return false;
    this.inFlight--;
    return true;
  }
}
