import { openCopyConnection } from "./copy-connection.ts";
import { PostgresSource } from "./copy-source.ts";
import { epochOf } from "./epoch.ts";
import { refuseSpread } from "./placement.ts";
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
