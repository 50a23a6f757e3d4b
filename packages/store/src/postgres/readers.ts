import type { Journal } from "@hongyan/core";
import { type ClientBase, Pool, type PoolClient } from "pg";
import { StoreError } from "../store-error.ts";
import type { Address } from "./address.ts";
import { connectError } from "./errors.ts";
import type { Primary } from "./primary.ts";
import { checkPrimary } from "./server-check.ts";
import { cut, type Row, type Statement } from "./writer.ts";

const idleMsMax = 60_000;

/** A connection, while reads are under way over it. */
interface InUse {
  readonly client: Promise<PoolClient>;
  reads: number;
  isBroken: boolean;
}

/**
 * Connections that read: as many as are needed, up to a bound. Always of the server that commits go to: what is read
 * decides, and after a failover connections to the old primary may still work, and so may the way to it. Where there are
 * more reads than connections they leave all the same, and are answered one after the other: a connection that waits
 * for a busy node to hear one answer before it is asked the next is idle most of the time.
 */
export class Readers {
  readonly #pool: Pool;
  readonly #place: string;
  readonly #countMax: number;
  readonly #primary: Pick<Primary, "server" | "leadsTo">;
  /** Of each connection: see `Backend`. */
  readonly #servers = new WeakMap<ClientBase, string>();
  readonly #inUse = new Set<InUse>();

  /** While `primary` takes no commits, any other one will do. */
  constructor(
    { config, place }: Address,
    countMax: number,
    journal: Journal | undefined,
    primary: Pick<Primary, "server" | "leadsTo">,
  ) {
    this.#place = place;
    this.#countMax = countMax;
    this.#primary = primary;
    this.#pool = new Pool({
      ...config,
      pipeline: true,
      max: countMax,
      idleTimeoutMillis: idleMsMax,
      onConnect: async (client) => {
        const server = await checkPrimary(client, place);
        this.#servers.set(client, server);
        primary.leadsTo(server);
      },
    });
    // While one is in use the pool does not listen to it, and an error that nobody hears ends the process: what broke
    // under a read is told to that read.
    this.#pool.on("connect", (client) => client.on("error", ignore));
    // One that nobody uses has ended; the next read opens another.
    this.#pool.on("error", (error) => journal?.info("store.reader_ended", { place, error: error.message }));
  }

  run(statement: Statement, values: readonly (Buffer | string | number)[]): Promise<Row[]> {
    return this.#use(async (client) => {
      const { rows } = await client.query({ ...statement, values: [...values], rowMode: "array" });
      return rows;
    });
  }

  /** And another statement after it, with the same round trip. */
  runBoth(
    statement: Statement,
    values: readonly (Buffer | string | number)[],
    after: Statement,
  ): Promise<readonly [Row[], Row[]]> {
    return this.#use(async (client) => {
      const [first, second] = await Promise.all([
        client.query({ ...statement, values: [...values], rowMode: "array" }),
        client.query({ ...after, rowMode: "array" }),
      ]);
      return [first.rows, second.rows];
    });
  }

  async #use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const connection = this.#choose();
    connection.reads++;
    try {
      const client = await connection.client;
      const answer = await work(client);
      if (this.#isOther(client))
        throw new StoreError(
          "unreachable",
          `${this.#place} is another server than the one that commits go to`,
        );
      return answer;
    } catch (error) {
      // Whatever went wrong: the next read begins on a new connection.
      connection.isBroken = true;
      throw error;
    } finally {
      if (--connection.reads === 0) this.#leave(connection);
    }
  }

  /** One of its own while there are any; then the one that has least to do: a slow read holds few others up. */
  #choose(): InUse {
    let least: InUse | undefined;
    if (this.#inUse.size >= this.#countMax) {
      for (const connection of this.#inUse)
        if (!connection.isBroken && (least === undefined || connection.reads < least.reads))
          least = connection;
    }
    return least ?? this.#enter();
  }

  #enter(): InUse {
    const connection = { client: this.#connect(), reads: 0, isBroken: false };
    this.#inUse.add(connection);
    return connection;
  }

  #leave(connection: InUse): void {
    this.#inUse.delete(connection);
    connection.client.then((client) => client.release(connection.isBroken), ignore);
  }

  async #connect(): Promise<PoolClient> {
    for (;;) {
      const client = await this.#pool.connect().catch((error: unknown) => {
        throw connectError(error, this.#place);
      });
      if (!this.#isOther(client)) return client;
      client.release(true);
    }
  }

  /** Cuts what still waits for an answer of another server than the one that commits go to. */
  leaveOthers(): void {
    for (const { client } of this.#inUse)
      client.then((one) => {
        if (this.#isOther(one)) cut(one);
      }, ignore);
  }

  #isOther(client: ClientBase): boolean {
    const { server } = this.#primary;
    return server !== undefined && this.#servers.get(client) !== server;
  }

  /** `waiting`: reads that are answered only after others on their connection, or for which there is none yet. */
  get connections(): { readonly open: number; readonly busy: number; readonly waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    let waiting = waitingCount;
    for (const { reads } of this.#inUse) waiting += reads - 1;
    return { open: totalCount, busy: totalCount - idleCount, waiting };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function ignore(): void {}
