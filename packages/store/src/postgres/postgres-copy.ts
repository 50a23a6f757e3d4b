import { setTimeout as delay } from "node:timers/promises";
import type { LogId } from "@hongyan/core";
import type { CopyTarget, LogMark, Part } from "../copy/items.ts";
import { StoreError } from "../store-error.ts";
import { type CopyConnection, openCopyConnection, overCopyConnection } from "./copy-connection.ts";
import { PostgresSource } from "./copy-source.ts";
import { beginCopy, type CopyState, endCopy, stateOf, takeBackCopy } from "./copy-state.ts";
import { writePart } from "./copy-write.ts";
import { migrate } from "./migrate.ts";
import { checkServer } from "./server-check.ts";
import type { Writer } from "./writer.ts";

/** So long the connections of one that was killed may still be seen. */
const othersMsMax = 5_000;

/**
 * A database into which the data of an embedded store are copied. It has their epoch, and no server takes it until the
 * copy was finished. A copy that was left goes on: each log from the head that it has; cursors and records anew.
 */
export class PostgresCopy implements CopyTarget {
  /** For messages: without user and password. */
  readonly place: string;
  /** What was copied. */
  readonly source: PostgresSource;
  readonly #connection: CopyConnection;

  /** What the database is to the data of `epoch`; changes nothing. Rejects with `StoreError`, also `occupied`. */
  static look(url: string, epoch: string): Promise<CopyState> {
    return overCopyConnection(url, async ({ place, writer: { client } }) => {
      await checkServer(client, place, undefined);
      return stateOf(client, place, epoch);
    });
  }

  /** Rejects with `StoreError`: what `PostgresStore.open` does, and `occupied`. */
  static begin(url: string, epoch: string): Promise<PostgresCopy> {
    return openCopyConnection(url, async (connection) => {
      const { place, writer } = connection;
      const { client } = writer;
      await checkServer(client, place, undefined);
      const state = await stateOf(client, place, epoch);
      if (state === "finished")
        throw new StoreError("occupied", `${place} has these data already, and is in service`);
      await refuseOthers(writer, place);
      await migrate(client, place, () => epoch);
      if (state === "empty") {
        await beginCopy(client, epoch);
        // One that came in between has not been refused.
        await refuseOthers(writer, place).catch(async (error: unknown) => {
          await takeBackCopy(client);
          throw error;
        });
      }
      return new PostgresCopy(epoch, connection);
    });
  }

  /**
   * From now on servers take the database. Durable when it resolves; where it rejects, that is open, and it may be
   * asked for again.
   */
  static async finish(url: string, epoch: string): Promise<void> {
    await overCopyConnection(url, async ({ place, writer: { client } }) => {
      if ((await stateOf(client, place, epoch)) === "unfinished") await endCopy(client);
    });
  }

  private constructor(epoch: string, connection: CopyConnection) {
    const { place, writer, told } = connection;
    this.place = place;
    this.source = new PostgresSource(epoch, {
      run: (statement, values) => told(writer.run(statement, values)),
    });
    this.#connection = connection;
  }

  marks(logs: readonly LogId[]): Promise<LogMark[]> {
    return this.source.marks(logs);
  }

  /** Cursors and records begin anew: some that were copied may not exist any more. */
  async clear(): Promise<void> {
    const { writer, told } = this.#connection;
    await told(writer.client.query("TRUNCATE hongyan.cursors, hongyan.records"));
  }

  /** Without waiting for the disk, which `finish` does for all. */
  async write(part: Part): Promise<void> {
    const { writer, told } = this.#connection;
    await told(
      Promise.all([
        writer.begin(),
        writer.client.query("SET LOCAL synchronous_commit = off"),
        writePart(writer, part),
        writer.commit(),
      ]),
    );
  }

  close(): Promise<void> {
    return this.#connection.writer.close();
  }
}

/** A server that uses the database, or another copy into it, must not be there. */
async function refuseOthers({ client }: Writer, place: string): Promise<void> {
  const until = Date.now() + othersMsMax;
  for (;;) {
    const { rows } = await client.query(
      `SELECT count(*)::int AS others FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'hongyan' AND pid <> pg_backend_pid()`,
    );
    const [{ others }] = rows as [{ others: number }];
    if (others === 0) return;
    if (Date.now() > until)
      throw new StoreError(
        "occupied",
        `${place} is in use: a server or another copy has ${others} connections to it`,
      );
    await delay(100);
  }
}
