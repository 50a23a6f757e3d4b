import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { Conditions } from "./conditions.ts";

/**
 * One direction of a link. What is sent is on its way for a while; a stalled pipe keeps it (a peer that does not
 * read, a route that is gone while both ends think they are connected); an ended pipe delivers nothing more.
 */
export class Pipe {
  /** Bytes sent and neither received nor lost. */
  pendingBytes = 0;
  conditions: Conditions;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #receive: (bytes: Uint8Array) => void;
  #state: "flowing" | "stalled" | "draining" | "ended" = "flowing";
  /** Arrived while stalled, in order; while draining, later arrivals queue behind. */
  #waiting: Uint8Array[] = [];
  #lastArrival = 0;

  constructor(
    scheduler: Scheduler,
    random: SeededRandom,
    conditions: Conditions,
    receive: (bytes: Uint8Array) => void,
  ) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.conditions = conditions;
    this.#receive = receive;
  }

  get stalled(): boolean {
    return this.#state === "stalled";
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    const { conditions } = this;
    const random = this.#random;
    if (conditions.kind === "stream") {
      this.#lastArrival = Math.max(this.#lastArrival, this.#scheduler.now + this.#latency());
      this.#depart(bytes, this.#lastArrival - this.#scheduler.now);
      return;
    }
    if (random.chance(conditions.drop)) return;
    const copies = random.chance(conditions.duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const held = random.chance(conditions.hold) ? random.between(0, conditions.holdMsMax) : 0;
      this.#depart(bytes, this.#latency() + held);
    }
  }

  stall(): void {
    if (this.#state !== "ended") this.#state = "stalled";
  }

  resume(): void {
    if (this.#state !== "stalled") return;
    this.#state = "flowing";
    this.#state = "draining";
    this.#scheduler.after(0, () => this.#drain());
  }

  /** What is on its way is lost. */
  end(): void {
    this.#state = "ended";
    this.#waiting = [];
    this.pendingBytes = 0;
  }

  /** Runs `work` after everything that was sent before it has arrived or is lost. */
  afterAll(work: () => void): void {
    this.#scheduler.after(Math.max(0, this.#lastArrival - this.#scheduler.now), work);
  }

  #latency(): number {
    return this.#random.between(this.conditions.latencyMsMin, this.conditions.latencyMsMax);
  }

  #depart(bytes: Uint8Array, delayMs: number): void {
    this.pendingBytes += bytes.length;
    this.#scheduler.after(delayMs, () => this.#arrive(bytes));
  }

  #arrive(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    if (this.#state !== "flowing") {
      this.#waiting.push(bytes);
      return;
    }
    this.#hand(bytes);
  }

  #drain(): void {
    if (this.#state !== "draining") return;
    const bytes = this.#waiting.shift();
    if (bytes === undefined) {
      this.#state = "flowing";
      return;
    }
    this.#hand(bytes);
    this.#scheduler.after(0, () => this.#drain());
  }

  #hand(bytes: Uint8Array): void {
    this.pendingBytes -= bytes.length;
    this.#receive(bytes);
  }
}
