import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { type Address, parseAddress } from "../postgres/address.ts";
import { connectError, errorCode } from "../postgres/errors.ts";
import { checkServer } from "../postgres/server-check.ts";
import { StoreError } from "../store-error.ts";

/** For a lock that writers wait behind: they wait no longer than this, and then as long is left to them. */
const lockMsMax = 300;
const lockTriesMs = 60_000;
/** A mover that stands still lets go of them. */
const lockIdleMsMax = 2_000;
/** What goes through all rows takes as long as it takes; where the mover is gone without a word, the server notices. */
const settings = `
  SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
  SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`;
/** A lock that did not come in time, or that is waited for in a circle. */
const lockCodes: ReadonlySet<string | undefined> = new Set(["55P03", "40P01"]);

/** A PostgreSQL server that holds buckets, over one connection. */
export class ServerConnection {
  /** What the configuration calls it. */
  readonly name: string;
  readonly #address: Address;
  #client: Client;
  /** Why the connection has ended by itself: what runs over it is rejected without the reason. */
  #broken: unknown;
  #isCut = false;

  /** Rejects with `StoreError`: `unreachable`, `unauthorized`, `unsuitable`. */
  static async open(name: string, url: string): Promise<ServerConnection> {
    const server = new ServerConnection(name, parseAddress(url));
    await server.reconnect();
    return server;
  }

  private constructor(name: string, address: Address) {
    this.name = name;
    this.#address = address;
    this.#client = new Client();
  }

  get isBroken(): boolean {
    return this.#broken !== undefined || this.#isCut;
  }

  get client(): Client {
    return this.#client;
  }

  /** For messages: without user and password. */
  get place(): string {
    return `${this.name} (${this.#address.place})`;
  }

  /** Another connection; whatever runs over this one is rejected. */
  async reconnect(): Promise<void> {
    this.abandon();
    const client = new Client({ ...this.#address.config, query_timeout: undefined });
    client.on("error", (error) => {
      if (client === this.#client && !this.#isCut) this.#broken ??= error;
    });
    this.#client = client;
    this.#broken = undefined;
    this.#isCut = false;
    try {
      await client.connect();
      await client.query(settings);
      await checkServer(client, this.place, undefined);
    } catch (error) {
      this.abandon();
      throw connectError(error, this.place);
    }
  }

  /** All of `work`, or nothing. */
  async transaction<T>(
    work: (client: Client) => Promise<T>,
    isolation: "READ COMMITTED" | "REPEATABLE READ" = "READ COMMITTED",
  ): Promise<T> {
    const client = this.#client;
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
      const result = await work(client);
      const { command } = await client.query("COMMIT");
      if (command !== "COMMIT") throw new Error(`The transaction was ended with ${command}`);
      return result;
    } catch (error) {
      // Of a connection that is cut, the server does it.
      if (!this.isBroken)
        await client.query("ROLLBACK").catch((ended: unknown) => {
          this.#broken ??= ended;
        });
      throw this.#broken === undefined ? error : connectError(this.#broken, this.place);
    }
  }

  /**
   * A transaction that takes locks behind which writers queue: it waits for each only so long, and leaves them time
   * before it tries again. Rejects with `overloaded` where that never succeeds.
   */
  async locking<T>(purpose: string, work: (client: Client) => Promise<T>): Promise<T> {
    const until = performance.now() + lockTriesMs;
    for (;;) {
      try {
        return await this.transaction(async (client) => {
          await client.query(
            `SET LOCAL lock_timeout = ${lockMsMax}; SET LOCAL idle_in_transaction_session_timeout = ${lockIdleMsMax}`,
          );
          return work(client);
        });
      } catch (error) {
        if (!lockCodes.has(errorCode(error))) throw error;
        if (performance.now() > until) throw await this.#neverFree(purpose, error);
        await delay(lockMsMax);
      }
    }
  }

  /** Cuts the connection. */
  abandon(): void {
    this.#isCut = true;
    this.#client.connection.stream.destroy();
  }

  async close(): Promise<void> {
    const overdue = setTimeout(() => this.abandon(), 5_000);
    await this.#client.end();
    clearTimeout(overdue);
  }

  async #neverFree(purpose: string, cause: unknown): Promise<StoreError> {
    const { rows } = await this.transaction((client) =>
      client.query<{ gid: string }>(
        "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared LIMIT 3",
      ),
    );
    const why =
      rows.length > 0
        ? `transactions are prepared there and not decided (${rows.map(({ gid }) => gid).join(", ")}): nodes decide them when they reach all servers`
        : "transactions there do not end (pg_stat_activity shows them)";
    return new StoreError("overloaded", `${this.place}: to ${purpose} takes a lock, and ${why}`, cause);
  }
}
