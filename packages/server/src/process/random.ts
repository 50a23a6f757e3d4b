/** The operating system's randomness. */
import { randomBytes } from "node:crypto";
import type { Random } from "@hongyan/core";

export const systemRandom: Random = {
  id: () => randomBytes(16).toString("base64url"),
};

/** A secret of 256 bits, 43 characters of `[A-Za-z0-9_-]`. */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}
