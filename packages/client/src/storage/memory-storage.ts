import type { LocalMessage, Message } from "../api.ts";
import { messageKey } from "../message-key.ts";
import type {
  ConversationRecord,
  Installation,
  MessageRange,
  Storage,
  StorageChange,
  StoredState,
} from "../ports.ts";
import { MessageCache } from "./message-cache.ts";

/**
 * Keeps everything in memory: the executable specification of `Storage`, and a storage for programs that need no
 * other. It outlives the client that uses it, so that a test can end one client and start the next on it.
 */
export class MemoryStorage implements Storage {
  readonly #conversations = new Map<string, ConversationRecord>();
  readonly #outbox = new Map<string, LocalMessage>();
  readonly #numbers = new Map<string, number>();
  readonly #chains = new Map<string, string>();
  readonly #cache: MessageCache;
  #installation: Installation | undefined;

  /** The newest `messagesMax` messages of each conversation are kept. */
  constructor({ messagesMax = 1_000 }: { messagesMax?: number } = {}) {
    this.#cache = new MessageCache(messagesMax);
  }

  async load(): Promise<StoredState> {
    return this.state();
  }

  async commit(change: StorageChange): Promise<void> {
    this.apply(change);
  }

  async messages(conversation: string, range: MessageRange, count: number): Promise<readonly Message[]> {
    return this.#cache.read(conversation, range, count);
  }

  async close(): Promise<void> {}

  /** Everything small, now. */
  state(): StoredState {
    return {
      installation: this.#installation,
      conversations: [...this.#conversations.values()],
      outbox: [...this.#outbox.values()],
      numbers: [...this.#numbers],
      chains: [...this.#chains],
    };
  }

  /** Every message in the cache. */
  allMessages(): Iterable<Message> {
    return this.#cache.all();
  }

  apply(change: StorageChange): void {
    if (change.reset === true) {
      this.#conversations.clear();
      this.#chains.clear();
      this.#cache.clear();
    }
    if (change.installation !== undefined) this.#installation = change.installation;
    for (const record of change.conversations ?? []) this.#conversations.set(record.conversation, record);
    for (const message of change.messages ?? []) this.#cache.put(message);
    for (const message of change.outbox ?? []) this.#outbox.set(messageKey(message), message);
    for (const message of change.stored ?? []) this.#outbox.delete(messageKey(message));
    for (const message of change.discarded ?? []) this.#outbox.delete(messageKey(message));
    for (const [conversation, next] of change.numbers ?? []) this.#numbers.set(conversation, next);
    for (const [conversation, id] of change.chains ?? []) this.#chains.set(conversation, id);
  }
}
