import { Client, type ClientConfig } from "pg";
import { replicated } from "./replicated.ts";

/** What a query answers, each row as the list of its columns. */
export type Row = readonly (string | Buffer | null)[];

/** A prepared statement: planned once for each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Identity of a connection's process on the server: a process id alone may come again. */
interface Backend {
  readonly pid: number;
  readonly startedAt: string;
  /** Which server it is on: when that was started, to the microsecond. Two that have the same data differ in it. */
  readonly server: string;
}

/** See `Backend.server`. */
export const serverIdentity = "pg_postmaster_start_time()::text";

const closeMsMax = 5_000;

/**
 * A connection that commits. Queries that are asked for one after another leave at once, without waiting for the
 * answers of those before (`pipeline`): a transaction costs as many round trips as it has decisions.
 */
export class Writer {
  readonly backend: Backend;
  readonly #client: Client;

  /** `broken` is called when the connection ends without having been asked to. */
  static async connect(config: ClientConfig, broken: (error: unknown) => void): Promise<Writer> {
    const client = new Client({ ...config, pipeline: true });
    client.on("error", broken);
    await client.connect();
    try {
      // G1: whatever the server, the database or the role say, now or when the server reads its settings anew: what a
      // connection sets itself stays. Only what waits for more than our disk is left as it is.
      await client.query(
        `SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')
           WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`,
      );
      const { rows } = await client.query(
        `SELECT pid, backend_start::text AS started_at, ${serverIdentity} AS server
         FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
      );
      const [{ pid, started_at: startedAt, server }] = rows;
      return new Writer(client, { pid, startedAt, server });
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  private constructor(client: Client, backend: Backend) {
    this.#client = client;
    this.backend = backend;
  }

  get client(): Client {
    return this.#client;
  }

  async run(statement: Statement, values: readonly (Buffer | string | number)[]): Promise<Row[]> {
    const { rows } = await this.#client.query({ ...statement, values: [...values], rowMode: "array" });
    return rows;
  }

  async begin(): Promise<void> {
    await this.#client.query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  }

  async commit(): Promise<void> {
    const { command } = await replicated(this.#client, () => this.#client.query("COMMIT"));
    // PostgreSQL answers COMMIT of a transaction in which something failed with ROLLBACK, and without an error.
    if (command !== "COMMIT") throw new Error(`The transaction was ended with ${command}`);
  }

  async rollBack(): Promise<void> {
    await this.#client.query("ROLLBACK");
  }

  /**
   * Ends the process of an older connection, should it still run; rejects if it does not end. One that waits for the
   * synchronous standby is left to it: ended, it would show to all what a failover may still lose.
   */
  async terminate({ pid, startedAt }: Backend): Promise<void> {
    const { rows } = await this.#client.query(
      `SELECT CASE WHEN wait_event IS DISTINCT FROM 'SyncRep' THEN pg_terminate_backend(pid, 5000) END AS has_ended
       FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2`,
      [pid, startedAt],
    );
    for (const { has_ended } of rows) {
      if (has_ended === null) throw new Error("A commit of before still waits for the synchronous standby");
      if (!has_ended) throw new Error(`process ${pid} of PostgreSQL does not end`);
    }
  }

  /** Cuts the connection: whatever runs over it is rejected. */
  abandon(): void {
    cut(this.#client);
  }

  /** Resolves when the connection is gone; one whose server is silent is cut. */
  async close(): Promise<void> {
    const overdue = setTimeout(() => this.abandon(), closeMsMax);
    await this.#client.end();
    clearTimeout(overdue);
  }
}

/** Ends a connection here and now, without a word to the server. */
export function cut(client: Client): void {
  client.connection.stream.destroy();
}
