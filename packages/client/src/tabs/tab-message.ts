import { type ErrorName, ProtocolError } from "@hongyan/protocol";
import type { ConnectionState } from "../api.ts";
import type { Answer, Request } from "../engine/requests.ts";
import type { Update } from "../engine/update.ts";

/** What the tabs of one browser tell each other. Plain data: it is copied on the way. */
export type TabMessage =
  /** A tab leads now, or says so to the one that asked. */
  | { readonly kind: "leading"; readonly state: ConnectionState; readonly to: string | undefined }
  /** A new tab asks who leads. */
  | { readonly kind: "hello"; readonly tab: string }
  /** Something to show. */
  | { readonly kind: "update"; readonly update: Update }
  /** The outbox in the storage has new messages. */
  | { readonly kind: "outbox" }
  | {
      readonly kind: "read";
      readonly conversation: string;
      readonly seq: number;
      readonly unread: number | undefined;
    }
  /** Connect again. */
  | { readonly kind: "restart" }
  | { readonly kind: "call"; readonly tab: string; readonly call: number; readonly request: Request }
  | { readonly kind: "answer"; readonly tab: string; readonly call: number; readonly outcome: Outcome };

export type Outcome =
  | { readonly ok: true; readonly answer: Answer }
  | {
      readonly ok: false;
      readonly code: ErrorName;
      readonly message: string;
      readonly retryAfterMs: number | undefined;
    };

export function refused(error: unknown): Outcome {
  if (error instanceof ProtocolError) {
    const { code, message, retryAfterMs } = error;
    return { ok: false, code, message, retryAfterMs };
  }
  return { ok: false, code: "internal", message: String(error), retryAfterMs: undefined };
}
