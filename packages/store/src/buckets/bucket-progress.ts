import type { Bucket } from "../postgres/bucket.ts";

/** What is about to be done: see `BucketMove`. */
export type BucketPhase =
  | "copy"
  | "follow"
  | "compare"
  | "freeze"
  | "rest"
  | "release"
  | "hold"
  | "switch"
  | "clean";

export interface BucketProgress {
  readonly bucket: Bucket;
  readonly phase: BucketPhase;
  /** Copied, or compared. */
  readonly bytes: number;
  /** What there is on the disk, about. */
  readonly bytesTotal: number;
}
