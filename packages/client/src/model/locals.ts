import type { LocalMessage } from "../api.ts";
import { type MessageName, messageKey } from "../message-key.ts";

const none: readonly LocalMessage[] = [];

/** Own messages of this device that are not yet seen in the log, by conversation, in the order of sending. */
export class Locals {
  readonly #byConversation = new Map<string, readonly LocalMessage[]>();
  readonly #byKey = new Map<string, LocalMessage>();

  of(conversation: string): readonly LocalMessage[] {
    return this.#byConversation.get(conversation) ?? none;
  }

  get(message: MessageName): LocalMessage | undefined {
    return this.#byKey.get(messageKey(message));
  }

  conversations(): Iterable<string> {
    return this.#byConversation.keys();
  }

  /** Adds at the end, or replaces in place. */
  put(message: LocalMessage): void {
    const { conversation, clientMessageId } = message;
    const known = this.#byKey.has(messageKey(message));
    const before = this.of(conversation);
    this.#byKey.set(messageKey(message), message);
    this.#byConversation.set(
      conversation,
      known
        ? before.map((other) => (other.clientMessageId === clientMessageId ? message : other))
        : [...before, message],
    );
  }

  remove(name: MessageName): LocalMessage | undefined {
    const message = this.get(name);
    if (message === undefined) return undefined;
    this.#byKey.delete(messageKey(name));
    const rest = this.of(message.conversation).filter((other) => other !== message);
    if (rest.length === 0) this.#byConversation.delete(message.conversation);
    else this.#byConversation.set(message.conversation, rest);
    return message;
  }

  clear(): void {
    this.#byConversation.clear();
    this.#byKey.clear();
  }
}
