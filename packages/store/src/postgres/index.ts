export { StoreError, type StoreErrorCode } from "../store-error.ts";
export { PostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";
export type { PostgresStatistics } from "./statistics.ts";
