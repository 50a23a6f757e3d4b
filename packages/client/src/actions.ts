import type { LocalMessage } from "./api.ts";
import type { Answer, Request } from "./engine/requests.ts";

/** What the application can cause. Carried out by the engine in this tab, or by the one in the tab that leads. */
export interface Actions {
  /** Takes a message that is shown already; `next` is the number after its own. */
  submit(message: LocalMessage, next: number): void;
  /** Forgets a failed message. */
  discard(message: LocalMessage): void;
  markRead(conversation: string, seq: number, unread: number | undefined): void;
  call(request: Request): Promise<Answer>;
  restart(): void;
}
