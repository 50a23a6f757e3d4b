import type { LocalMessage } from "../api.ts";
import { type MessageName, messageKey } from "../message-key.ts";

const none: readonly LocalMessage[] = [];

/** The messages of one conversation, in the order of sending; the list is made when it is looked at after a change. */
interface Row {
  readonly messages: Map<string, LocalMessage>;
  list: readonly LocalMessage[] | undefined;
}

/** Own messages of this device that are not yet seen in the log. */
export class Locals {
  readonly #rows = new Map<string, Row>();

  /** The same list until something in it changes. */
  of(conversation: string): readonly LocalMessage[] {
    const row = this.#rows.get(conversation);
    if (row === undefined) return none;
    row.list ??= [...row.messages.values()];
    return row.list;
  }

  has(conversation: string): boolean {
    return this.#rows.has(conversation);
  }

  get(name: MessageName): LocalMessage | undefined {
    return this.#rows.get(name.conversation)?.messages.get(messageKey(name));
  }

  conversations(): Iterable<string> {
    return this.#rows.keys();
  }

  /** Adds at the end, or replaces in place. */
  put(message: LocalMessage): void {
    let row = this.#rows.get(message.conversation);
    if (row === undefined) {
      row = { messages: new Map(), list: undefined };
      this.#rows.set(message.conversation, row);
    }
    row.messages.set(messageKey(message), message);
    row.list = undefined;
  }

  remove(name: MessageName): LocalMessage | undefined {
    const row = this.#rows.get(name.conversation);
    const message = row?.messages.get(messageKey(name));
    if (row === undefined || message === undefined) return undefined;
    row.messages.delete(messageKey(name));
    row.list = undefined;
    if (row.messages.size === 0) this.#rows.delete(name.conversation);
    return message;
  }
}
