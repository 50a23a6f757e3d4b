/** The rules of Hongyan: sessions, conversations, delivery, receipts, sync. Deterministic; no I/O but its ports. */
export { Audience, listOf, type Subjects } from "./audience.ts";
export type * from "./backend.ts";
export type { NodeEvent } from "./event.ts";
export {
  conversationLog,
  deliveredReader,
  parseReader,
  readReader,
  recordKeys,
  userSubject,
} from "./keys.ts";
export { decodeMessage, encodeMessage, idempotencyKey, isSystemType } from "./message.ts";
export { type Cluster, Node, type NodeOptions } from "./node.ts";
export { isName, isPlainText } from "./plain-text.ts";
export type * from "./ports.ts";
export type { Settings } from "./settings.ts";
export { emptyStatistics, type Statistics } from "./statistics.ts";
export { Turns } from "./turns.ts";
