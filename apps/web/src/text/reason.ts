import type { Strings } from "./strings.ts";

/** Why a call was rejected, for a person. Errors of the protocol have a row of the error table as their `code`. */
export function reasonOf(error: unknown, strings: Strings): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return strings.state.reason(error.code);
  return error instanceof Error ? error.message : String(error);
}
