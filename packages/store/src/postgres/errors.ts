import { StoreError } from "../store-error.ts";

/** The SQLSTATE of an error of the server, or the code of one of the system (`ECONNREFUSED`). */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** What is told to a transaction that lost to another one: of a seq or a key that was taken, a conflict, a circle. */
const lostRaces: ReadonlySet<string | undefined> = new Set(["23505", "40001", "40P01"]);

/** A transaction that lost to another one, and was rolled back for sure: it may be tried again. */
export function isLostRace(error: unknown): boolean {
  return lostRaces.has(errorCode(error));
}

/** What the fence says: see fence.ts. Nothing else divides. */
export function isFenced(error: unknown): boolean {
  return errorCode(error) === "22012";
}

/** Nothing took effect, for sure, and the connection is as good as before. */
export class RolledBack extends Error {}

/** Why a connection cannot be opened, in words for an operator. `place` has no password in it. */
export function connectError(error: unknown, place: string): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  if (code === "28P01" || code === "28000" || message.startsWith("SASL:"))
    return new StoreError("unauthorized", `${place} refuses the user or the password: ${message}`, error);
  if (code === "3D000")
    return new StoreError("unsuitable", `${place} does not exist (${message}): make it with createdb`, error);
  return new StoreError("unreachable", `${place} cannot be reached: ${message || code}`, error);
}
