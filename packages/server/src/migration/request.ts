/** What `hongyan migrate` asks for, and what it is told meanwhile: lines of JSON over the control socket. */
import type { MovePhase, Tally } from "@hongyan/store/copy";

/** `verify`: compares what was moved before; `dry run`: looks at both sides, and writes nothing. */
export type MigrationMode = "move" | "verify" | "dry run";

export interface MigrationRequest {
  readonly mode: MigrationMode;
  /** Address of PostgreSQL, with its password. */
  readonly url: string;
}

export interface MigrationProgress {
  readonly phase: MovePhase;
  readonly done: Readonly<Tally>;
  /** Entries that were to be copied when it began. */
  readonly entries: number;
}

export type MigrationResult =
  | {
      readonly kind: "moved";
      readonly copied: Tally;
      readonly compared: Tally;
      readonly stopMs: number;
      readonly place: string;
    }
  /** The data were moved before; what was left to be done is done. */
  | { readonly kind: "finished"; readonly place: string }
  | { readonly kind: "same"; readonly compared: Tally }
  | { readonly kind: "surveyed"; readonly found: Tally; readonly isBegun: boolean };

export type MigrationReply =
  | { readonly progress: MigrationProgress }
  | { readonly result: MigrationResult }
  | { readonly error: string };

/** A request is a line of at most so many bytes. */
export const requestBytesMax = 16 * 1024;

/** Reads a line; throws where it is not a request. */
export function parseRequest(line: string): MigrationRequest {
  const { mode, url } = fieldsOf(line);
  const isMode = mode === "move" || mode === "verify" || mode === "dry run";
  if (!isMode || typeof url !== "string") throw new Error("this is not a request of npx hongyan migrate");
  return { mode, url };
}

function fieldsOf(line: string): Partial<Record<keyof MigrationRequest, unknown>> {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
  }
}
