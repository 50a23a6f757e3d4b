import type { Journal } from "@hongyan/core";
import { Pool, type PoolClient } from "pg";
import type { Address } from "./address.ts";
import { connectError } from "./errors.ts";
import { checkPrimary } from "./server-check.ts";
import type { Row, Statement } from "./writer.ts";

const idleMsMax = 60_000;

/** Connections that read: as many as are needed, up to a bound. Always of the primary: what is read decides. */
export class Readers {
  readonly #pool: Pool;
  readonly #place: string;

  constructor({ config, place }: Address, countMax: number, journal: Journal | undefined) {
    this.#place = place;
    this.#pool = new Pool({
      ...config,
      pipeline: true,
      max: countMax,
      idleTimeoutMillis: idleMsMax,
      onConnect: (client) => checkPrimary(client, place),
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
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw connectError(error, this.#place);
    });
    try {
      const answer = await work(client);
      client.release();
      return answer;
    } catch (error) {
      // Whatever went wrong: the next read begins on a new connection.
      client.release(true);
      throw error;
    }
  }

  get connections(): { readonly open: number; readonly busy: number; readonly waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, busy: totalCount - idleCount, waiting: waitingCount };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function ignore(): void {}
