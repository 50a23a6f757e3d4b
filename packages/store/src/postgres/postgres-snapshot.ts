import type { Client } from "pg";
import { StoreError } from "../store-error.ts";
import { openCopyConnection } from "./copy-connection.ts";
import { PostgresSource } from "./copy-source.ts";
import { refuseUnfinished } from "./copy-state.ts";
import { newerSchema } from "./migrate.ts";
import { refuseSpread } from "./placement.ts";
import { schemaVersion } from "./schema.ts";
import { checkServer } from "./server-check.ts";
import type { Writer } from "./writer.ts";

/** All data as they are at one moment, while nodes go on. It changes nothing. */
export class PostgresSnapshot {
  /** For messages: without user and password. */
  readonly place: string;
  readonly source: PostgresSource;
  readonly #writer: Writer;

  /**
   * `isPart`: also of one of several servers. Rejects with `StoreError`: `unreachable`, `unauthorized`, `unsuitable`,
   * `newer_format`, `unfinished`.
   */
  static open(url: string, isPart = false): Promise<PostgresSnapshot> {
    return openCopyConnection(url, async ({ place, writer }) => {
      const { client } = writer;
      await checkServer(client, place, undefined);
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      // The moment is that of the first question, and not of BEGIN.
      const epoch = await epochOf(client, place);
      if (!isPart) await refuseSpread(client, place);
      return new PostgresSnapshot(place, epoch, writer);
    });
  }

  private constructor(place: string, epoch: string, writer: Writer) {
    this.place = place;
    this.source = new PostgresSource(epoch, writer);
    this.#writer = writer;
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

/** Of data that this version reads as they are. */
async function epochOf(client: Client, place: string): Promise<string> {
  const { rows: found } = await client.query("SELECT to_regclass('hongyan.meta') IS NOT NULL AS is_there");
  if (!found[0].is_there) throw new StoreError("unsuitable", `${place} holds no data of Hongyan`);
  await refuseUnfinished(client, place);
  const { rows } = await client.query("SELECT version, epoch FROM hongyan.meta");
  const { version, epoch } = rows[0] as { version: number; epoch: string };
  if (version > schemaVersion) throw newerSchema(place, version);
  if (version < schemaVersion)
    throw new StoreError(
      "unsuitable",
      `${place} is of an older version: start a server of this version on it once`,
    );
  return epoch;
}
