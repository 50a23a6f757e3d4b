import { setTimeout as delay } from "node:timers/promises";
import type { Journal } from "@hongyan/core";
import { StoreError } from "../store-error.ts";
import type { Address } from "./address.ts";
import { connectError, RolledBack } from "./errors.ts";
import { newerSchema } from "./migrate.ts";
import { schemaVersion } from "./schema.ts";
import { checkPrimary, checkServer } from "./server-check.ts";
import { probe } from "./statements.ts";
import { Writer } from "./writer.ts";

export interface PrimaryOptions {
  readonly address: Address;
  /** How many connections commit. */
  readonly count: number;
  readonly journal: Journal | undefined;
  /** A commit failed: what memory believes about the database is void. */
  readonly failed: () => void;
  readonly recovered: () => void;
  /** Ends what was prepared over the connections of before. */
  readonly settle: (writer: Writer) => Promise<void> | undefined;
  /** Of data of the epoch of before: rejects where something is missing. */
  readonly verify: (writer: Writer, epoch: string) => Promise<void>;
}

type State =
  | { readonly kind: "serving"; readonly writers: readonly Writer[] }
  | { readonly kind: "failed"; readonly cause: unknown }
  | { readonly kind: "closed" };

/** What takes so long may wait for a server that everybody else has left: it is looked where the address leads. */
const lookEveryMs = 2_000;
const delayMsFirst = 50;
const delayMsMax = 5_000;

/**
 * The server that commits go to, with its troubles. A transaction that fails takes it out of service for commits:
 * whether that one took effect is open, and so is what the others rest on. A recovery in the background opens new
 * connections, and ends what is left of the old ones, so that nothing of before can take effect after it.
 *
 *   serving --a transaction fails, a connection breaks--> failed --connected anew, probe committed--> serving
 *      '-------------------------------close--------------> closed <--------close------'
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #abort = new AbortController();
  #epoch = "";
  #state: State = { kind: "closed" };
  #recovery: Promise<void> = Promise.resolve();
  #isLooking = false;

  /** `prepare` is run over the connections that will commit, and answers the epoch of the data. */
  static async open(
    options: PrimaryOptions,
    prepare: (writers: readonly Writer[]) => Promise<string>,
  ): Promise<Primary> {
    const primary = new Primary(options);
    const writers = await primary.#connect();
    try {
      primary.#epoch = await prepare(writers);
    } catch (error) {
      await closeAll(writers);
      throw connectError(error, options.address.place);
    }
    primary.#state = { kind: "serving", writers };
    return primary;
  }

  private constructor(options: PrimaryOptions) {
    this.#options = options;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** Which server commits go to: see `Backend`. Undefined while they are not taken. */
  get server(): string | undefined {
    const state = this.#state;
    return state.kind === "serving" ? state.writers[0]?.backend.server : undefined;
  }

  /** Throws while commits are not taken. */
  get writers(): readonly Writer[] {
    const state = this.#state;
    if (state.kind === "closed") throw closed();
    if (state.kind === "failed") throw this.#failure(state.cause);
    return state.writers;
  }

  /** A connection has just come to this server. Another one than that of before is the primary now. */
  leadsTo(server: string): void {
    const state = this.#state;
    if (state.kind === "serving" && server !== this.server)
      this.#fail(state.writers, new Error("its address leads to another server now"));
  }

  /**
   * Runs `work` over one of the connections. When it rejects with anything but `RolledBack`, the state of the database is
   * open.
   */
  async use<T>(lane: number, work: (writer: Writer) => Promise<T>): Promise<T> {
    const writers = this.writers;
    const looking = setInterval(() => void this.#look(), lookEveryMs);
    try {
      return await work(writers[lane] as Writer);
    } catch (error) {
      if (error instanceof RolledBack) throw error;
      this.#fail(writers, error);
      // What breaks one of the connections ends the others.
      const state = this.#state;
      throw this.#failure(state.kind === "failed" ? state.cause : error);
    } finally {
      clearInterval(looking);
    }
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    this.#abort.abort();
    await this.#recovery;
    if (state.kind === "serving") await closeAll(state.writers);
  }

  #fail(writers: readonly Writer[], cause: unknown): void {
    const state = this.#state;
    if (state.kind !== "serving" || state.writers !== writers) return;
    this.#state = { kind: "failed", cause };
    const { journal, failed, address } = this.#options;
    failed();
    journal?.warn("store.failed", { place: address.place, error: String(cause) });
    this.#recovery = this.#recover(writers);
  }

  async #recover(old: readonly Writer[]): Promise<void> {
    const { journal, recovered, address } = this.#options;
    const { signal } = this.#abort;
    for (const writer of old) writer.abandon();
    for (let delayMs = delayMsFirst; !signal.aborted; delayMs = Math.min(delayMs * 2, delayMsMax)) {
      try {
        await delay(delayMs, undefined, { signal });
        const writers = await this.#connect();
        try {
          await this.#settle(writers[0] as Writer, old);
        } catch (error) {
          await closeAll(writers);
          throw error;
        }
        if (this.#state.kind !== "failed") return await closeAll(writers);
        this.#state = { kind: "serving", writers };
        recovered();
        journal?.info("store.recovered", { place: address.place });
        return;
      } catch (error) {
        if (!signal.aborted)
          journal?.warn("store.still_failed", { error: String(error), retryInMs: delayMs });
      }
    }
  }

  /** Shows that no transaction of before runs any more, and that the same data take writes. */
  async #settle(writer: Writer, old: readonly Writer[]): Promise<void> {
    const { place } = this.#options.address;
    await checkServer(writer.client, place, undefined);
    for (const { backend } of old) await writer.terminate(backend);
    await this.#options.settle(writer);
    const [row] = await writer.run(probe, []);
    if (row?.[0] !== this.#epoch)
      throw new StoreError(
        "foreign",
        `${place} holds other data than before (epoch ${row?.[0]}, and not ${this.#epoch}): start all nodes anew if that is meant`,
      );
    if (Number(row[1]) > schemaVersion) throw newerSchema(place, Number(row[1]));
    await this.#options.verify(writer, this.#epoch);
  }

  async #connect(): Promise<Writer[]> {
    const { address, count } = this.#options;
    const attempts = await Promise.allSettled(
      Array.from({ length: count }, () => {
        const connected = Writer.connect(address.config, (error) => this.#broken(connected, error));
        return connected;
      }),
    );
    const writers = attempts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const failure = attempts.find((one) => one.status === "rejected");
    const servers = new Set(writers.map(({ backend }) => backend.server));
    if (failure === undefined && servers.size === 1) return writers;
    await closeAll(writers);
    if (failure !== undefined) throw connectError(failure.reason, address.place);
    // The address has just changed, and the old primary still takes connections.
    throw new StoreError("unreachable", `${address.place} leads to ${servers.size} different servers`);
  }

  /** A connection has ended while nobody used it, perhaps: found out now, and not by the next commit. */
  #broken(connected: Promise<Writer>, error: unknown): void {
    connected.then(
      (writer) => {
        const state = this.#state;
        if (state.kind === "serving" && state.writers.includes(writer)) this.#fail(state.writers, error);
      },
      () => {},
    );
  }

  /** While nothing answers there, or a standby does, the waiting goes on. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { config, place } = this.#options.address;
    const writer = await Writer.connect(config, () => {}).catch(() => undefined);
    if (writer !== undefined) {
      await checkPrimary(writer.client, place).then(
        (server) => this.leadsTo(server),
        () => {},
      );
      await writer.close();
    }
    this.#isLooking = false;
  }

  #failure(cause: unknown): StoreError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { place } = this.#options.address;
    return new StoreError("failed", `${place} takes no commits since one failed: ${reason}`, cause);
  }
}

async function closeAll(writers: readonly Writer[]): Promise<void> {
  await Promise.all(writers.map((writer) => writer.close()));
}

export function closed(): StoreError {
  return new StoreError("closed", "The store is closed");
}
