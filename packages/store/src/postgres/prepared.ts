/**
 * Transactions that are prepared on one server, and decided on home. The decision is a row there: who inserts it first
 * decides, as its key is unique.
 */
import type { ClientBase } from "pg";
import { errorCode } from "./errors.ts";
import { replicated } from "./replicated.ts";
import type { Statement } from "./writer.ts";

const pattern = /^hongyan:[A-Za-z0-9_-]+:\d+:[a-z0-9-]+$/;

/** What the parts of one commit have in common: the key of its decision. */
export function decisionName(node: string, nth: number): string {
  return `hongyan:${node}:${nth}`;
}

/** The part of a server: databases of one PostgreSQL share the names. */
export function preparedName(decision: string, server: string): string {
  return `${decision}:${server}`;
}

export function decisionOf(prepared: string): string {
  return prepared.slice(0, prepared.lastIndexOf(":"));
}

/** Those of any node that were prepared so many milliseconds ago, and all of the node that asks. */
export const listPrepared: Statement = {
  name: "list_prepared",
  text: `
    SELECT gid FROM pg_prepared_xacts
    WHERE database = current_database() AND gid LIKE 'hongyan:%'
      AND (prepared < clock_timestamp() - $2::int8 * interval '1 millisecond'
        OR split_part(gid, ':', 2) = $1)`,
};

export const decideToCommit: Statement = {
  name: "decide",
  text: "INSERT INTO hongyan.decisions (gid, committed) VALUES ($1, true)",
};

export const forgetDecision: Statement = {
  name: "forget_decision",
  text: "DELETE FROM hongyan.decisions WHERE gid = $1",
};

/** Decides against it, unless it was decided; answers what is true then. Undefined: it was carried out everywhere. */
export async function decide(home: ClientBase, decision: string): Promise<boolean | undefined> {
  await home.query(
    "INSERT INTO hongyan.decisions (gid, committed) VALUES ($1, false) ON CONFLICT (gid) DO NOTHING",
    [decision],
  );
  const { rows } = await home.query("SELECT committed FROM hongyan.decisions WHERE gid = $1", [decision]);
  return rows[0]?.committed;
}

/** False: the transaction has failed before, and was rolled back. */
export async function prepare(client: ClientBase, name: string): Promise<boolean> {
  const statement = `PREPARE TRANSACTION '${checked(name)}'`;
  const { command } = await replicated(client, () => client.query(statement));
  return command === "PREPARE";
}

/** Carries the decision out, where nobody else has. */
export async function obey(client: ClientBase, name: string, isCommitted: boolean): Promise<void> {
  const statement = `${isCommitted ? "COMMIT" : "ROLLBACK"} PREPARED '${checked(name)}'`;
  await replicated(client, () => client.query(statement)).catch(isDoneOtherwise);
}

function isDoneOtherwise(error: unknown): void {
  // There is none of the name.
  if (errorCode(error) !== "42704") throw error;
}

function checked(name: string): string {
  if (!pattern.test(name)) throw new Error(`not the name of a prepared transaction: ${name}`);
  return name;
}
