/** Lets senders send in turn at a fixed rate, whatever the answers: what is late is sent at once. */
export class Pace {
  readonly #senders: readonly { send(nowMs: number): void }[];
  readonly #rate: number;
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  /** The longest that a message had to wait for its turn. */
  lateMsMax = 0;

  /** `rate` in messages per second, all senders together. */
  constructor(senders: readonly { send(nowMs: number): void }[], rate: number) {
    this.#senders = senders;
    this.#rate = rate;
    this.#timer = setInterval(() => this.#step(), 1);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const nowMs = performance.now();
    const due = Math.floor(((nowMs - this.#startMs) / 1000) * this.#rate);
    this.lateMsMax = Math.max(this.lateMsMax, ((due - this.#sent) / this.#rate) * 1000);
    for (; this.#sent < due; this.#sent++) this.#senders[this.#sent % this.#senders.length]?.send(nowMs);
  }
}
