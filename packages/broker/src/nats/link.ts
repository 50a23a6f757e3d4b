import type { Journal } from "@hongyan/core";
import { errors, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import type { NatsStatistics } from "./statistics.ts";

/** What goes wrong goes wrong often; the journal hears of it no more than that. */
const warnEveryMs = 10_000;

/** A NATS that does not answer keeps nobody from reading; what is lost by then is a gap. */
const takenMsMax = 1000;

export interface LinkOptions {
  readonly bufferBytesMax: number;
  readonly journal: Journal;
  readonly statistics: NatsStatistics;
  /** NATS is back, or has been slow: what others published meanwhile did not come here. */
  returned(): void;
  /** What was published here did not all leave, and now it would: the other nodes are to be told. */
  recovered(): void;
}

/**
 * The connection to NATS, and what is on its way there. The library queues without a bound, and says neither how much
 * waits nor what was lost with a connection. So bytes count from when they are handed over until NATS has answered a
 * ping that was sent behind them, and nothing is handed over while it is away.
 */
export class Link {
  readonly #nats: NatsConnection;
  readonly #options: LinkOptions;
  #state: "connected" | "away" | "closed" = "connected";
  #unconfirmedBytes = 0;
  #isConfirming = false;
  #taken: Promise<void> | undefined;
  /** Something was dropped, and the other nodes do not know it yet. */
  #hasDropped = false;
  #messageBytesMax: number;
  #refusal: Error | undefined;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(nats: NatsConnection, options: LinkOptions) {
    this.#nats = nats;
    this.#options = options;
    this.#messageBytesMax = nats.info?.max_payload ?? 0;
    this.#watch().catch((error: unknown) => this.warn("broker error", { error: String(error) }));
  }

  /** The largest message that NATS takes. */
  get messageBytesMax(): number {
    return this.#messageBytesMax;
  }

  hasRoom(bytes: number): boolean {
    return this.#state === "connected" && this.#unconfirmedBytes + bytes <= this.#options.bufferBytesMax;
  }

  /** `events` will not leave. */
  dropped(events: number): void {
    const { statistics } = this.#options;
    statistics.eventsDropped += events;
    this.#hasDropped = true;
    if (this.#state === "connected")
      this.warn("broker drops events", {
        unconfirmedBytes: this.#unconfirmedBytes,
        eventsDropped: statistics.eventsDropped,
      });
  }

  /**
   * Takes a message with so many events on its way; `confirm` is due afterwards. Where nobody listens, NATS says so on
   * the subject `reply`.
   */
  send(subject: string, message: Uint8Array, events: number, reply?: string): void {
    if (this.#state !== "connected" || message.length > this.#messageBytesMax) return this.dropped(events);
    try {
      this.#nats.publish(subject, message, reply === undefined ? undefined : { reply });
    } catch {
      // NATS may have been told to take less than when it was last asked.
      this.#messageBytesMax = this.#nats.info?.max_payload ?? this.#messageBytesMax;
      return this.dropped(events);
    }
    this.#options.statistics.messagesSent++;
    this.#count(message.length);
  }

  /** Undefined after `close`. */
  subscribe(subject: string, receive: (message: Uint8Array) => void): Subscription | undefined {
    if (this.#state === "closed") return undefined;
    return this.#nats.subscribe(subject, {
      // Refusals come as a status too. `receive` must not throw: the library would stop reading.
      callback: (error, message) => {
        if (error === null) receive(message.data);
      },
    });
  }

  /** Resolves when NATS has taken what was subscribed in this tick; undefined while it is away: `returned` follows. */
  taken(): Promise<void> | undefined {
    if (this.#state !== "connected") return undefined;
    this.#taken ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#taken = undefined;
        let isLate = false;
        const patience = setTimeout(() => {
          isLate = true;
          resolve();
        }, takenMsMax);
        this.#nats
          .flush()
          .then(
            () => isLate && this.#options.returned(),
            () => undefined, // The connection broke: NATS returns.
          )
          .finally(() => {
            clearTimeout(patience);
            resolve();
          });
      });
    });
    return this.#taken;
  }

  /** Asks NATS how far it is, unless it is being asked already. */
  confirm(): void {
    if (this.#isConfirming || this.#state === "closed") return;
    if (this.#unconfirmedBytes === 0) return this.#recover();
    this.#isConfirming = true;
    const bytes = this.#unconfirmedBytes;
    this.#nats.flush().then(
      () => {
        this.#isConfirming = false;
        this.#count(-bytes);
        this.#recover();
        this.confirm(); // What came meanwhile.
      },
      () => {
        // The connection broke; how much of it has arrived nobody knows.
        this.#isConfirming = false;
        this.#count(-this.#unconfirmedBytes);
        this.#hasDropped = true;
        this.#recover();
      },
    );
  }

  /** Resolves when NATS has taken everything so far; rejects when the connection breaks before. */
  flush(): Promise<void> {
    return this.#nats.flush();
  }

  /** What NATS did not allow, if it was asked for something before; it says so some time after it was asked. */
  async refusal(): Promise<Error | undefined> {
    await this.#nats.flush();
    await new Promise((resolve) => setImmediate(resolve));
    return this.#refusal;
  }

  /** Tells the journal, unless it was told something a moment ago. */
  warn(event: string, details: Record<string, unknown>): void {
    const now = Date.now();
    if (now >= this.#warnedAtMs && now - this.#warnedAtMs < warnEveryMs) return;
    this.#warnedAtMs = now;
    this.#options.journal.warn(event, details);
  }

  /** Gives what is on its way a moment to leave. */
  async close(): Promise<void> {
    if (this.#state === "connected") {
      const patience = new Promise((resolve) => setTimeout(resolve, 1000).unref());
      await Promise.race([this.#nats.flush(), patience]).catch(() => undefined);
    }
    this.#become("closed");
    await this.#nats.close();
  }

  #become(state: "connected" | "away" | "closed"): void {
    if (this.#state === "closed") return;
    this.#state = state;
    this.#options.statistics.connected = state === "connected";
  }

  #count(bytes: number): void {
    this.#unconfirmedBytes += bytes;
    this.#options.statistics.unconfirmedBytes = this.#unconfirmedBytes;
  }

  #recover(): void {
    if (!this.#hasDropped || this.#state !== "connected") return;
    this.#hasDropped = false;
    this.#options.recovered();
  }

  async #watch(): Promise<void> {
    const { statistics, journal, returned } = this.#options;
    for await (const status of this.#nats.status()) {
      switch (status.type) {
        case "disconnect":
          // Attempts that are refused at the door end like this as well.
          if (this.#state === "connected") journal.warn("broker disconnected", { server: status.server });
          this.#become("away");
          break;
        case "reconnect":
          this.#become("connected");
          statistics.reconnects++;
          this.#messageBytesMax = this.#nats.info?.max_payload ?? this.#messageBytesMax;
          journal.info("broker reconnected", {
            server: status.server,
            eventsDropped: statistics.eventsDropped,
          });
          returned();
          this.#recover();
          break;
        case "error":
          if (status.error instanceof errors.PermissionViolationError) this.#refusal = status.error;
          this.warn("broker error", { error: status.error.message });
          break;
        default:
          break; // Attempts, pings, news about the cluster.
      }
    }
    if (this.#state !== "closed")
      journal.warn("broker closed", { reason: String(await this.#nats.closed()) });
    this.#become("closed");
  }
}
