import { digestOf } from "../digest.ts";
import type { NameDigest } from "./name-digest.ts";

/** A sixteenth of all logs: those whose id, which is a digest of their name, begins with one hex digit. */
export type Bucket = number;

export const bucketCount = 16;

export function bucketOf(log: string): Bucket {
  return bucketOfId(digestOf(log));
}

export function bucketOfId(id: NameDigest | Buffer): Bucket {
  return (typeof id === "string" ? id.charCodeAt(0) : (id[0] as number)) >> 4;
}
