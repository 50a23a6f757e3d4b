/**
 * `locked`: another server has the directory. `newer_format`: written by a newer version. `foreign`: not data of
 * this product. `unwritable`: the directory cannot be made, read or written. `failed`: a write failed, and the store
 * takes nothing until it has found the disk good again. `gone`: the same, because the directory was deleted or moved. `overloaded`: too much waits to be written; try again.
 * `damaged`: entries of a log are lost; reads of it that meet the hole are rejected. `moved`: the data live on
 * elsewhere. `closed`: after `close`.
 *
 * Of a database: `unreachable`: nothing answers there, or not now. `unauthorized`: it refuses the user or the password.
 * `unsuitable`: it answers, and cannot be used as it is; the message says what to change. `unfinished`: it holds a
 * copy of an embedded store that is not complete. `occupied`: it holds other data than those that were to come in.
 */
export type StoreErrorCode =
  | "locked"
  | "newer_format"
  | "foreign"
  | "unwritable"
  | "failed"
  | "gone"
  | "overloaded"
  | "damaged"
  | "moved"
  | "closed"
  | "unreachable"
  | "unauthorized"
  | "unsuitable"
  | "unfinished"
  | "occupied";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
