import type { ClientConfig } from "pg";
import { StoreError } from "../store-error.ts";
import { addressFault } from "./address-fault.ts";

/** Nothing hangs for ever: what takes longer than this on the server is ended there. */
const statementMsMax = 30_000;
/** And where the server, or the way to it, is silent, the connection is given up. */
const answerMsMax = 40_000;
/** A node that stops in the middle of a transaction holds its locks so long. */
const idleInTransactionMsMax = 2_000;
const connectMsMax = 10_000;

/**
 * Settings of every connection. The isolation level is what numbering rests on (G3). Plans are made once, and always
 * by index: the planner would otherwise choose them by tables that were still empty.
 */
const serverSettings = {
  default_transaction_isolation: "read\\ committed",
  statement_timeout: `${statementMsMax}`,
  idle_in_transaction_session_timeout: `${idleInTransactionMsMax}`,
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
} as const;

/** Where a database is, and how to connect to it. */
export interface Address {
  /** For messages: without user and password. */
  readonly place: string;
  readonly config: ClientConfig;
}

/** Reads `postgres://user:password@host:port/database`, with any parameters of libpq that `pg` knows. */
export function parseAddress(url: string): Address {
  const fault = addressFault(url);
  if (fault !== undefined)
    throw new StoreError(
      "unsuitable",
      `The address of PostgreSQL is not of the form postgres://user:password@host:5432/database: ${fault}`,
    );
  const parsed = new URL(url);
  const own = Object.entries(serverSettings).map(([name, value]) => `-c ${name}=${value}`);
  const { searchParams } = parsed;
  searchParams.set("options", [searchParams.get("options") ?? "", ...own].join(" ").trim());
  const host = searchParams.get("host") ?? decodeURIComponent(parsed.hostname);
  const named = decodeURIComponent(parsed.pathname.slice(1));
  const database =
    named === ""
      ? `"${decodeURIComponent(parsed.username)}" (the user's name, as the address names no database)`
      : `"${named}"`;
  return {
    place: `PostgreSQL database ${database} at ${host || "localhost"}:${parsed.port || "5432"}`,
    config: {
      connectionString: parsed.href,
      application_name: "hongyan",
      connectionTimeoutMillis: connectMsMax,
      query_timeout: answerMsMax,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
  };
}
