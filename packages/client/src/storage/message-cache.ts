import type { Message } from "../api.ts";
import type { MessageRange } from "../ports.ts";

/** Messages of one conversation in ascending order, and where they are. */
interface Shelf {
  readonly messages: Message[];
}

/** The newest messages of each conversation, in memory. */
export class MessageCache {
  readonly #messagesMax: number;
  readonly #shelves = new Map<string, Shelf>();

  constructor(messagesMax: number) {
    this.#messagesMax = messagesMax;
  }

  put(message: Message): void {
    let shelf = this.#shelves.get(message.conversation);
    if (shelf === undefined) {
      shelf = { messages: [] };
      this.#shelves.set(message.conversation, shelf);
    }
    const { messages } = shelf;
    const at = place(messages, message.seq);
    if (messages[at]?.seq === message.seq) messages[at] = message;
    else if (at === messages.length) messages.push(message);
    else messages.splice(at, 0, message);
    // A quarter more than the limit, so that the copying is rare.
    if (messages.length > this.#messagesMax * 1.25) messages.splice(0, messages.length - this.#messagesMax);
  }

  read(conversation: string, range: MessageRange, count: number): Message[] {
    const messages = this.#shelves.get(conversation)?.messages ?? [];
    if ("after" in range) {
      const from = place(messages, range.after + 1);
      return messages.slice(from, from + count);
    }
    const to = place(messages, range.before);
    return messages.slice(Math.max(0, to - count), to).reverse();
  }

  *all(): Iterable<Message> {
    for (const { messages } of this.#shelves.values()) yield* messages;
  }

  clear(): void {
    this.#shelves.clear();
  }
}

/** The index of the first message with at least `seq`. */
function place(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  // Appending is the rule.
  if (high === 0 || (messages[high - 1] as Message).seq < seq) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle] as Message).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
