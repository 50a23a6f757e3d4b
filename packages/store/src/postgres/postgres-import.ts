import { randomBytes } from "node:crypto";
import type { LogId } from "@hongyan/core";
import type { CopyTarget, LogMark, Part } from "../copy/items.ts";
import { StoreError } from "../store-error.ts";
import { openCopyConnection } from "./copy-connection.ts";
import { PostgresSource } from "./copy-source.ts";
import { holds, refuseUnfinished } from "./copy-state.ts";
import { writePart } from "./copy-write.ts";
import { errorCode } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { refuseSpread } from "./placement.ts";
import { checkServer } from "./server-check.ts";
import type { Writer } from "./writer.ts";

/** What comes into a database that is in use: one transaction, of which nobody sees anything before `end`. */
export class PostgresImport implements CopyTarget {
  readonly #source: PostgresSource;
  readonly #writer: Writer;

  /**
   * The database must have nothing whose log or key begins with `prefix`. Rejects with `StoreError`: what
   * `PostgresStore.open` does, and `occupied`.
   */
  static begin(url: string, prefix: string): Promise<PostgresImport> {
    return openCopyConnection(url, async ({ place, writer }) => {
      const { client } = writer;
      await checkServer(client, place, undefined);
      const epoch = await migrate(client, place, () => randomBytes(16).toString("base64url"));
      await refuseUnfinished(client, place);
      await writer.begin();
      // What moves buckets waits for the end of it.
      await refuseSpread(client, place);
      const { rows } = await client.query("SELECT pg_try_advisory_xact_lock(hashtext($1)) AS is_ours", [
        prefix,
      ]);
      if (!rows[0].is_ours) throw new StoreError("occupied", `${place}: another import of it is under way`);
      if (await holds(client, prefix))
        throw new StoreError("occupied", `${place} has this domain already: an import does not mix two`);
      return new PostgresImport(epoch, writer);
    });
  }

  private constructor(epoch: string, writer: Writer) {
    this.#source = new PostgresSource(epoch, writer);
    this.#writer = writer;
  }

  marks(logs: readonly LogId[]): Promise<LogMark[]> {
    return this.#source.marks(logs);
  }

  async write(part: Part): Promise<void> {
    try {
      await writePart(this.#writer, part);
    } catch (error) {
      if (errorCode(error) !== "23505") throw error;
      throw new StoreError(
        "occupied",
        "The domain came in from elsewhere meanwhile, or the file names a key twice",
        error,
      );
    }
  }

  /** All of it takes effect. */
  async end(): Promise<void> {
    await this.#writer.commit();
  }

  /** Without `end`, nothing of it takes effect. */
  close(): Promise<void> {
    return this.#writer.close();
  }
}
