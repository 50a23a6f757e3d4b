export { StoreError, type StoreErrorCode } from "../store-error.ts";
export { PostgresImport } from "./postgres-import.ts";
export { PostgresSnapshot } from "./postgres-snapshot.ts";
export { PostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";
export type { PostgresStatistics } from "./statistics.ts";
