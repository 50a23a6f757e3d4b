import { shortened } from "../config/shortened.ts";

/** Why a server cannot start, in one line that says what to do. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StartError";
  }
}

/** The code of a system or library error, looked for along its causes. */
export function errorCodes(error: unknown): string[] {
  const codes: string[] = [];
  for (let at = error; at instanceof Error && codes.length < 8; at = at.cause) {
    if ("code" in at && typeof at.code === "string") codes.push(at.code);
  }
  return codes;
}

export function listenError(error: unknown, what: string, address: string, port: number): StartError {
  const host = shortened(address);
  const codes = errorCodes(error);
  const where = `${host} port ${port}`;
  if (codes.includes("EADDRINUSE")) {
    return new StartError(
      `${where} is in use by another program: stop it, or choose another one for ${what}`,
      error,
    );
  }
  if (codes.includes("EACCES"))
    return new StartError(`${where} may not be used by this user (ports below 1024 need a right)`, error);
  if (codes.includes("EADDRNOTAVAIL") || codes.includes("ENOTFOUND")) {
    return new StartError(`${host} is not an address of this machine`, error);
  }
  return new StartError(`cannot listen on ${where}: ${messageOf(error)}`, error);
}

export function storeError(error: unknown, path: string): StartError {
  const directory = shortened(path);
  const codes = errorCodes(error);
  if (codes.includes("locked") || codes.includes("LEVEL_LOCKED")) {
    return new StartError(
      `the data directory ${directory} is in use by another server: stop it, or choose another one with --data`,
      error,
    );
  }
  if (["EACCES", "EPERM", "EROFS"].some((code) => codes.includes(code))) {
    return new StartError(`the data directory ${directory} cannot be written by this user`, error);
  }
  if (codes.includes("ENOTDIR") || codes.includes("EEXIST"))
    return new StartError(`the data directory ${directory} is not a directory`, error);
  if (codes.includes("ENOENT"))
    return new StartError(
      `the data directory ${directory} cannot be made: its place takes no directories`,
      error,
    );
  if (codes.includes("ENOSPC"))
    return new StartError(`the disk of the data directory ${directory} is full`, error);
  if (codes.includes("newer_format") || codes.includes("foreign"))
    return new StartError(messageOf(error), error);
  return new StartError(`the data directory ${directory} cannot be opened: ${messageOf(error)}`, error);
}

/** What is wrong with PostgreSQL or NATS, their own errors say, and without passwords. */
export function engineError(error: unknown): StartError {
  return new StartError(messageOf(error), error);
}

function messageOf(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n", 1);
  return line.slice(0, 500);
}
