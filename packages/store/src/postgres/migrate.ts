import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { StoreError } from "../store-error.ts";
import { errorCode } from "./errors.ts";
import { migrations, schemaVersion } from "./schema.ts";

const triesMax = 50;

/** What two nodes get that make the same schema or table at once: the other one was faster. */
const racedCodes: ReadonlySet<string> = new Set(["23505", "42P06", "42P07", "40001", "40P01", "XX000"]);

/**
 * Brings the schema to this version, forward only, and answers the epoch of the data; new data get one. All of it is
 * one transaction, and nodes that start together do it one after another: a lock on the table of the version holds
 * the others back. Refuses a schema that is newer than this version.
 */
export async function migrate(client: Client, place: string, createEpoch: () => string): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(client, place, createEpoch);
    } catch (error) {
      await client.query("ROLLBACK");
      if (!racedCodes.has(errorCode(error) ?? "") || tries === triesMax) throw inWords(error, place);
      await delay(20);
    }
  }
}

async function attempt(client: Client, place: string, createEpoch: () => string): Promise<string> {
  await client.query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  // Asked first: who may use the schema need not be allowed to make one.
  const { rows: found } = await client.query("SELECT to_regclass('hongyan.meta') IS NOT NULL AS is_there");
  if (!found[0].is_there) {
    await client.query("CREATE SCHEMA IF NOT EXISTS hongyan");
    await client.query(
      `CREATE TABLE IF NOT EXISTS hongyan.meta (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        version integer NOT NULL,
        epoch text NOT NULL,
        probed timestamptz
      )`,
    );
  }
  await client.query("LOCK TABLE hongyan.meta IN SHARE ROW EXCLUSIVE MODE");
  await client.query("INSERT INTO hongyan.meta (version, epoch) VALUES (0, $1) ON CONFLICT DO NOTHING", [
    createEpoch(),
  ]);
  const { rows } = await client.query("SELECT version, epoch FROM hongyan.meta");
  const { version, epoch } = rows[0] as { version: number; epoch: string };
  if (version > schemaVersion) throw newerSchema(place, version);
  for (const step of migrations.slice(version)) await client.query(step);
  if (version < schemaVersion) await client.query("UPDATE hongyan.meta SET version = $1", [schemaVersion]);
  await client.query("COMMIT");
  return epoch;
}

export function newerSchema(place: string, version: number): StoreError {
  return new StoreError(
    "newer_format",
    `${place} has schema version ${version}; this version reads up to version ${schemaVersion}. Use a newer version.`,
  );
}

function inWords(error: unknown, place: string): unknown {
  const code = errorCode(error);
  if (code === "42501")
    return new StoreError(
      "unwritable",
      `The user of ${place} may not make or use the schema "hongyan" there: ${(error as Error).message}`,
      error,
    );
  if (code === "42703" || code === "42809")
    return new StoreError("foreign", `${place} has a schema "hongyan" that Hongyan did not make`, error);
  return error;
}
