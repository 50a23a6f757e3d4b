import assert from "node:assert/strict";
import { type PostgresServer, startPostgres } from "@hongyan/testkit/postgres";
import { Relay } from "@hongyan/testkit/relay";
import { query } from "./databases.ts";

const patienceMs = 30_000;
const settings = { fsync: "off", max_prepared_transactions: "20" };

/** A primary with a standby, and an address that leads to the primary until it is led elsewhere. */
export class ReplicatedServer {
  primary: PostgresServer;
  standby: PostgresServer;
  readonly relay: Relay;
  readonly #all: PostgresServer[];

  static async start(): Promise<ReplicatedServer> {
    const primary = await startPostgres({ settings });
    const standby = await startPostgres({ settings, follows: primary });
    const replicated = new ReplicatedServer(primary, standby, await Relay.to(primary.port));
    await replicated.synchronise();
    return replicated;
  }

  private constructor(primary: PostgresServer, standby: PostgresServer, relay: Relay) {
    this.primary = primary;
    this.standby = standby;
    this.relay = relay;
    this.#all = [primary, standby];
  }

  /** Has the primary wait for the standby; resolves once it does. */
  async synchronise(): Promise<void> {
    await this.primary.set({ synchronous_standby_names: "*" });
    await this.#until(
      async () => (await this.primary.sql("SELECT sync_state FROM pg_stat_replication")) === "sync",
    );
  }

  /** A fresh database: its URL by way of the relay. */
  async createDatabase(): Promise<string> {
    return this.relay.url(await this.primary.createDatabase("STRATEGY file_copy"));
  }

  /** What replaces the primary is the primary from now on; where the address leads to stays. */
  async promote(): Promise<PostgresServer> {
    const old = this.primary;
    await this.standby.promote();
    this.primary = this.standby;
    return old;
  }

  /** A new standby, in the place of the one that was promoted. */
  async replace(old: PostgresServer): Promise<void> {
    await old.stop();
    this.relay.lead(this.primary.port);
    this.standby = await startPostgres({ settings, follows: this.primary });
    this.#all.push(this.standby);
    await this.synchronise();
  }

  /** Resolves once so many commits wait for the standby. */
  async waiting(database: string, count: number): Promise<void> {
    await this.#until(async () => (await this.waits(database)).length >= count);
  }

  /** The processes on the primary whose commits wait for the standby. */
  async waits(database: string): Promise<number[]> {
    const rows = await query(
      this.primary.url(new URL(database).pathname.slice(1)),
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'",
    );
    return rows.map(({ pid }) => Number(pid));
  }

  async #until(condition: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + patienceMs;
    while (!(await condition())) assert.ok(performance.now() < endMs, "it never came to be");
  }

  async stop(): Promise<void> {
    await this.relay.close();
    await Promise.all(this.#all.map((server) => server.stop()));
  }
}
