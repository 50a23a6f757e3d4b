import type { ClientSettings } from "../api.ts";
import type { Clock, Transport } from "../ports.ts";

/**
 * Which way to take. The first transport is preferred; after it could not be opened a few times in a row the next
 * one has its turn, and so on around. One that has worked is kept, until it is time to try the preferred one again.
 */
export class TransportChoice {
  readonly #transports: readonly Transport[];
  readonly #clock: Clock;
  readonly #settings: ClientSettings;
  #at = 0;
  #failures = 0;
  #leftPreferredAt = 0;

  constructor(transports: readonly Transport[], clock: Clock, settings: ClientSettings) {
    this.#transports = transports;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** The transport of the next attempt. */
  next(): Transport {
    if (this.isPreferredDue) this.prefer();
    return this.#transports[this.#at] as Transport;
  }

  /** The preferred transport was given up long enough ago to be tried again. */
  get isPreferredDue(): boolean {
    if (this.#at === 0) return false;
    const awayMs = this.#clock.now() - this.#leftPreferredAt;
    return awayMs >= this.#settings.websocketAgainAfterMs || awayMs < 0;
  }

  prefer(): void {
    this.#at = 0;
    // One failure is enough this time: the other way is known to work.
    this.#failures = this.#settings.websocketFailuresMax - 1;
  }

  /** The attempt got an answer from the server, whatever it was. */
  opened(): void {
    this.#failures = 0;
  }

  /** The attempt never got an answer. */
  failed(): void {
    this.#failures++;
    const max = this.#at === 0 ? this.#settings.websocketFailuresMax : 1;
    if (this.#failures < max || this.#transports.length < 2) return;
    this.#failures = 0;
    if (this.#at === 0) this.#leftPreferredAt = this.#clock.now();
    this.#at = (this.#at + 1) % this.#transports.length;
  }
}
