import { randomBytes } from "node:crypto";
import type { Journal } from "@hongyan/core";
import type { ServerOptions } from "./server.ts";

export const poolMaxDefault = 12;
export const queueBytesMaxDefault = 64 * 1024 * 1024;

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`: the primary. Any number of nodes may use one database. */
  readonly url: string;
  /** Bytes that may wait to be written; more is refused as `overloaded`. Default 64 MiB. */
  readonly queueBytesMax?: number | undefined;
  /** Connections of this node, from 2. Up to four of them commit, the others read. Default 12. */
  readonly poolMax?: number | undefined;
  /** Makes the epoch of new data. Default: 128 random bits. */
  readonly createEpoch?: (() => string) | undefined;
  /** How far the clocks of this machine and of the server may be apart. Default 5 s. */
  readonly clockSkewMsMax?: number | undefined;
  /** The clock of this machine, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  readonly journal?: Journal | undefined;
  /** Opens also a copy that is not complete: for whoever makes it. Default: it is refused. */
  readonly opensCopy?: boolean | undefined;
}

/** What all servers of a store have in common. */
export function serverOptions({
  poolMax = poolMaxDefault,
  createEpoch = randomEpoch,
  clockSkewMsMax: skewMsMax = 5_000,
  now = Date.now,
  journal,
  opensCopy = false,
}: PostgresStoreOptions): Omit<ServerOptions, "name" | "url" | "place"> {
  return { poolMax, createEpoch, skewMsMax, now, journal, opensCopy };
}

function randomEpoch(): string {
  return randomBytes(16).toString("base64url");
}
