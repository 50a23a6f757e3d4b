import { errors, type FrameNamed, limits, ProtocolError } from "@hongyan/protocol";
import type { Message } from "../api.ts";
import { messagesOf } from "./message-of.ts";
import type { Requests } from "./requests.ts";

/** Holes that are asked about at once; the others wait. */
const askedMax = 4;

/** Asks for entries that are missing in a conversation: `history` after the last one that is here. */
export class Gaps {
  readonly #requests: Requests;
  readonly #pageMessages: number;
  readonly #filled: (conversation: string, after: number, messages: readonly Message[] | undefined) => void;
  readonly #gone: (conversation: string) => void;
  readonly #waiting = new Map<string, number>();
  #asked = 0;

  constructor(around: {
    requests: Requests;
    pageMessages: number;
    /** Entries in order, complete up to the last of them; undefined where there was no answer. */
    filled: (conversation: string, after: number, messages: readonly Message[] | undefined) => void;
    /** The conversation cannot be read any more. */
    gone: (conversation: string) => void;
  }) {
    this.#requests = around.requests;
    this.#pageMessages = Math.min(around.pageMessages, limits.pageMessagesMax);
    this.#filled = around.filled;
    this.#gone = around.gone;
  }

  fill(conversation: string, after: number): void {
    this.#waiting.set(conversation, after);
    this.#next();
  }

  disconnected(): void {
    this.#waiting.clear();
  }

  #next(): void {
    while (this.#asked < askedMax) {
      const row = this.#waiting.entries().next().value;
      if (row === undefined) return;
      this.#waiting.delete(row[0]);
      this.#asked++;
      void this.#ask(row[0], row[1]);
    }
  }

  async #ask(conversation: string, after: number): Promise<void> {
    let messages: readonly Message[] | undefined;
    try {
      const answer = await this.#requests.request<"history">({
        type: "history",
        conversation,
        after,
        limit: this.#pageMessages,
      });
      messages = completePage(answer.reply, messagesOf(answer.items));
    } catch (error) {
      if (error instanceof ProtocolError && errors[error.code].retry === "never") {
        this.#asked--;
        this.#gone(conversation);
        return this.#next();
      }
    }
    this.#asked--;
    this.#filled(conversation, after, messages);
    this.#next();
  }
}

/** The messages in order, each once; undefined where some were lost on the way. */
function completePage(reply: FrameNamed<"history.ok">, messages: readonly Message[]): Message[] | undefined {
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  const page = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  const [first, last] = [page[0]?.seq ?? 1, page.at(-1)?.seq ?? 0];
  // A page has no holes: one with as many as were sent may still be made of two answers, where the question was doubled.
  return page.length === reply.count && last - first + 1 === page.length ? page : undefined;
}
