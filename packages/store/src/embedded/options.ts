import type { Journal } from "@hongyan/core";
import type { Delay, Disk } from "./recovery.ts";

export interface EmbeddedStoreTuning {
  /** Memory for heads, idempotency keys and cursors in use. Default 64 MiB. */
  readonly cacheBytesMax?: number | undefined;
  /** Bytes that may wait to be written; more is refused as `overloaded`. Default 64 MiB. */
  readonly queueBytesMax?: number | undefined;
  /** Makes the epoch of new data. Default: 128 random bits. */
  readonly createEpoch?: (() => string) | undefined;
  readonly journal?: Journal | undefined;
  /** Opens also data that were moved to another place, for reading. Default: they are refused. */
  readonly opensMoved?: boolean | undefined;
}

export interface EmbeddedStoreOptions extends EmbeddedStoreTuning {
  /** Where the data are; created if missing. One server at a time. */
  readonly directory: string;
  /** Memory for decompressed blocks of the disk. Default 32 MiB. */
  readonly blockCacheBytes?: number | undefined;
  /** False: the data must be there already. Default: true. */
  readonly create?: boolean | undefined;
}

export interface OverOptions extends EmbeddedStoreTuning {
  /** Brings the store back after a failed write; without it, it stays failed. */
  readonly disk?: Disk | undefined;
  /** Waits between attempts to come back. */
  readonly delay?: Delay | undefined;
  /** Names the data in messages. */
  readonly place?: string | undefined;
}
