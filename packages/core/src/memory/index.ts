export { MemoryBroker } from "./broker.ts";
export { checkBatch } from "./check-batch.ts";
export { Page } from "./page.ts";
export { MemoryStore } from "./store.ts";
export { compareUtf8 } from "./utf8-order.ts";
