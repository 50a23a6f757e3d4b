import type { ConnectionState, Message, Receipt } from "../api.ts";
import type { StorageChange } from "../ports.ts";

/** What the engine tells those who show: the model of its own tab, and those of the other tabs. Plain data. */
export type Update =
  /** This is on disk now. */
  | { readonly kind: "change"; readonly change: StorageChange }
  | { readonly kind: "state"; readonly state: ConnectionState }
  | { readonly kind: "receipt"; readonly receipt: Receipt }
  | { readonly kind: "online"; readonly user: string; readonly online: boolean }
  /** Receipts were lost: who watches some asks for them. */
  | { readonly kind: "receiptsMissed" }
  | { readonly kind: "error"; readonly message: string };

export interface Audience {
  update(update: Update): void;
  /** Hands one entry to the application. */
  deliver(message: Message): void | Promise<void>;
}
