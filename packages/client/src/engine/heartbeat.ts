import type { Clock } from "../ports.ts";

/** Silence of this many heartbeats means that the other side is gone. */
const heartbeatsMax = 2.5;

/** Keeps a connection known to be alive: pings when nothing was sent or nothing came, and notices when nothing answers. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #heartbeatMs = 0;
  #sentAt = 0;
  #receivedAt = 0;
  #pingedAt = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, ping: () => void, dead: () => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#dead = dead;
  }

  start(heartbeatMs: number): void {
    this.stop();
    this.#heartbeatMs = Math.max(100, heartbeatMs);
    this.#sentAt = this.#receivedAt = this.#pingedAt = this.#clock.now();
    this.#arm();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  sent(): void {
    this.#sentAt = this.#clock.now();
  }

  received(): void {
    this.#receivedAt = this.#clock.now();
  }

  get #pingAt(): number {
    return Math.max(Math.min(this.#sentAt, this.#receivedAt), this.#pingedAt) + this.#heartbeatMs;
  }

  /** One timer, looked at when it is due: a busy connection moves no timers. */
  #arm(): void {
    const now = this.#clock.now();
    const due = Math.min(this.#pingAt, this.#receivedAt + heartbeatsMax * this.#heartbeatMs);
    const waitMs = Math.min(Math.max(due - now, 10), this.#heartbeatMs);
    this.#cancelTimer = this.#clock.setTimer(waitMs, () => {
      this.#cancelTimer = undefined;
      this.#look();
    });
  }

  #look(): void {
    const now = this.#clock.now();
    // After a jump backwards silence is counted from now.
    if (this.#receivedAt > now) this.#receivedAt = now;
    if (this.#sentAt > now) this.#sentAt = now;
    if (this.#pingedAt > now) this.#pingedAt = now;
    if (now - this.#receivedAt >= heartbeatsMax * this.#heartbeatMs) return this.#dead();
    if (now >= this.#pingAt) {
      this.#pingedAt = now;
      this.#ping();
    }
    if (this.#cancelTimer === undefined) this.#arm();
  }
}
