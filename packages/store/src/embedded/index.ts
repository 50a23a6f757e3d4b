export { StoreError, type StoreErrorCode } from "../store-error.ts";
export { EmbeddedStore } from "./embedded-store.ts";
export type { KeyValue, Operation, Pair, Scan, ScanRange } from "./key-value.ts";
export { makeDirectory } from "./new-directory.ts";
export type { EmbeddedStoreOptions, EmbeddedStoreTuning, OverOptions } from "./options.ts";
export type { Delay, Disk } from "./recovery.ts";
export type { StoreStatistics } from "./statistics.ts";
