import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, type IDBPTransaction, openDB } from "idb";
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

interface OutboxRow {
  /** Given by the database: the order of the outbox. */
  readonly order?: number;
  readonly key: string;
  readonly message: LocalMessage;
}

interface Schema extends DBSchema {
  installation: { key: string; value: Installation };
  conversations: { key: string; value: ConversationRecord };
  messages: { key: [string, number]; value: Message };
  outbox: { key: number; value: OutboxRow; indexes: { key: string } };
  numbers: { key: string; value: number };
  chains: { key: string; value: string };
}

const storeNames = ["installation", "conversations", "messages", "outbox", "numbers", "chains"] as const;

type Writing = IDBPTransaction<Schema, typeof storeNames, "readwrite">;

type OutboxStore = IDBPObjectStore<Schema, typeof storeNames, "outbox", "readwrite">;

/** How often a conversation's old messages are looked for: once per so many messages put. */
const trimEvery = 100;

/** Storage of browsers. Position and messages are written in one transaction (G5); tabs of an account share it. */
export class IndexedDbStorage implements Storage {
  readonly #name: string;
  readonly #messagesMax: number;
  #opening: Promise<IDBPDatabase<Schema>> | undefined;
  /** Messages put since the last trim, by conversation. */
  readonly #untrimmed = new Map<string, number>();

  /** The newest `messagesMax` messages of each conversation are kept. */
  constructor(name: string, { messagesMax = 2_000 }: { messagesMax?: number } = {}) {
    this.#name = name;
    this.#messagesMax = messagesMax;
  }

  async load(): Promise<StoredState> {
    const transaction = (await this.#open()).transaction(storeNames, "readonly");
    const at = (name: "numbers" | "chains") => transaction.objectStore(name);
    const [installation, conversations, outbox, numberKeys, numbers, chainKeys, chains] = await Promise.all([
      transaction.objectStore("installation").get("installation"),
      transaction.objectStore("conversations").getAll(),
      transaction.objectStore("outbox").getAll(),
      at("numbers").getAllKeys(),
      at("numbers").getAll(),
      at("chains").getAllKeys(),
      at("chains").getAll(),
    ]);
    return {
      installation,
      conversations,
      outbox: outbox.map(({ message }) => message),
      numbers: numberKeys.map((key, i) => [key, numbers[i] as number]),
      chains: chainKeys.map((key, i) => [key, chains[i] as string]),
    };
  }

  async commit(change: StorageChange): Promise<void> {
    const db = await this.#open();
    const durability = change.durable === false ? "relaxed" : "strict";
    const transaction = db.transaction(storeNames, "readwrite", { durability });
    // Each is watched from the start: one that fails first must not leave the others' failures to nobody.
    const nobody = (): void => undefined;
    transaction.done.catch(nobody);
    try {
      const writes: Promise<unknown>[] = [];
      for (const write of this.#writes(transaction, change)) {
        write.catch(nobody);
        writes.push(write);
      }
      await Promise.all(writes);
      await transaction.done;
    } catch (error) {
      try {
        transaction.abort();
      } catch {
        // It was over already.
      }
      throw error;
    }
  }

  async messages(conversation: string, range: MessageRange, count: number): Promise<readonly Message[]> {
    const db = await this.#open();
    if ("after" in range)
      return db.getAll(
        "messages",
        IDBKeyRange.bound([conversation, range.after], [conversation, Number.POSITIVE_INFINITY], true),
        count,
      );
    const page: Message[] = [];
    const below = IDBKeyRange.bound([conversation, 0], [conversation, range.before], false, true);
    let cursor = await db.transaction("messages").store.openCursor(below, "prev");
    while (cursor !== null && page.length < count) {
      page.push(cursor.value);
      cursor = await cursor.continue();
    }
    return page;
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    (await opening?.catch(() => undefined))?.close();
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    this.#opening ??= openDB<Schema>(this.#name, 1, {
      upgrade(db) {
        db.createObjectStore("installation");
        db.createObjectStore("conversations", { keyPath: "conversation" });
        db.createObjectStore("messages", { keyPath: ["conversation", "seq"] });
        const outbox = db.createObjectStore("outbox", { keyPath: "order", autoIncrement: true });
        outbox.createIndex("key", "key", { unique: true });
        db.createObjectStore("numbers");
        db.createObjectStore("chains");
      },
      terminated: () => {
        // The browser has closed the database (storage was cleared, say): the next call opens it anew.
        this.#opening = undefined;
      },
      blocking: (_, __, event) => {
        // Another version wants to upgrade it.
        (event.target as IDBDatabase).close();
        this.#opening = undefined;
      },
    }).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  *#writes(transaction: Writing, change: StorageChange): Iterable<Promise<unknown>> {
    const conversations = transaction.objectStore("conversations");
    const messages = transaction.objectStore("messages");
    const chains = transaction.objectStore("chains");
    const outbox = transaction.objectStore("outbox");
    if (change.reset === true) {
      yield conversations.clear();
      yield messages.clear();
      yield chains.clear();
    }
    if (change.installation !== undefined)
      yield transaction.objectStore("installation").put(change.installation, "installation");
    for (const record of change.conversations ?? []) yield conversations.put(record);
    for (const message of change.messages ?? []) yield messages.put(message);
    for (const conversation of this.#dueForTrim(change.messages ?? []))
      yield this.#trim(transaction, conversation);
    const gone = [...(change.stored ?? []), ...(change.discarded ?? [])];
    if (change.outbox !== undefined || gone.length > 0)
      yield this.#writeOutbox(outbox, change.outbox ?? [], gone);
    for (const [conversation, next] of change.numbers ?? [])
      yield transaction.objectStore("numbers").put(next, conversation);
    for (const [conversation, id] of change.chains ?? []) yield chains.put(id, conversation);
  }

  /** One after another: each looks up where it stands. */
  async #writeOutbox(
    outbox: OutboxStore,
    puts: readonly LocalMessage[],
    gone: readonly LocalMessage[],
  ): Promise<void> {
    for (const message of puts) {
      const key = messageKey(message);
      const order = await outbox.index("key").getKey(key);
      await outbox.put(order === undefined ? { key, message } : { order, key, message });
    }
    for (const message of gone) {
      const order = await outbox.index("key").getKey(messageKey(message));
      if (order !== undefined) await outbox.delete(order);
    }
  }

  #dueForTrim(messages: readonly Message[]): string[] {
    const due: string[] = [];
    for (const { conversation } of messages) {
      const count = (this.#untrimmed.get(conversation) ?? 0) + 1;
      this.#untrimmed.set(conversation, count % trimEvery);
      if (count === trimEvery) due.push(conversation);
    }
    return due;
  }

  async #trim(transaction: Writing, conversation: string): Promise<void> {
    const store = transaction.objectStore("messages");
    const all = IDBKeyRange.bound([conversation, 0], [conversation, Number.POSITIVE_INFINITY]);
    const excess = (await store.count(all)) - this.#messagesMax;
    if (excess <= 0) return;
    const oldest = await store.getAllKeys(all, excess);
    const last = oldest.at(-1);
    if (last !== undefined) await store.delete(IDBKeyRange.bound([conversation, 0], last));
  }
}
