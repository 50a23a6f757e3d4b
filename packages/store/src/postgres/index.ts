export { StoreError, type StoreErrorCode } from "../store-error.ts";
export type { PostgresStoreOptions } from "./options.ts";
export { PlacedStore, type PlacedStoreOptions } from "./placed-store.ts";
export { PostgresImport } from "./postgres-import.ts";
export { PostgresSnapshot } from "./postgres-snapshot.ts";
export { PostgresStore } from "./postgres-store.ts";
export type { PostgresStatistics } from "./statistics.ts";
