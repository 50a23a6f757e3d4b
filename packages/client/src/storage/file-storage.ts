import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Message } from "../api.ts";
import type { MessageRange, Storage, StorageChange, StoredState } from "../ports.ts";
import { DirectoryLock } from "./directory-lock.ts";
import { JournalFile } from "./journal-file.ts";
import { MemoryStorage } from "./memory-storage.ts";

/** Messages per line of a compacted journal. */
const messagesPerLine = 256;

export interface FileStorageOptions {
  /** Made where it does not exist. Belongs to one client of one process at a time. */
  readonly directory: string;
  /** The newest messages of each conversation that are kept. Default 200. */
  readonly messagesMax?: number;
  /** The journal is written anew when it is four times as large as then, and at least this. Default 4 MiB. */
  readonly compactBytesMin?: number;
}

/** Storage for Node: a journal of changes in a folder, held in memory too. Changes are on disk when `commit` resolves. */
export class FileStorage implements Storage {
  readonly #directory: string;
  readonly #messagesMax: number;
  readonly #compactBytesMin: number;
  #opened: Promise<Opened> | undefined;
  /** The last thing that was asked: everything happens one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ directory, messagesMax = 200, compactBytesMin = 4 * 1024 * 1024 }: FileStorageOptions) {
    this.#directory = directory;
    this.#messagesMax = messagesMax;
    this.#compactBytesMin = compactBytesMin;
  }

  async load(): Promise<StoredState> {
    return (await this.#open()).memory.state();
  }

  async commit(change: StorageChange): Promise<void> {
    const opened = await this.#open();
    return this.#inTurn(() => this.#write(opened, change));
  }

  async messages(conversation: string, range: MessageRange, count: number): Promise<readonly Message[]> {
    return (await this.#open()).memory.messages(conversation, range, count);
  }

  async close(): Promise<void> {
    const opening = this.#opened;
    this.#opened = undefined;
    const opened = await opening?.catch(() => undefined);
    if (opened === undefined) return;
    await this.#inTurn(() => opened.journal.close());
    await opened.lock.release();
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#openFiles().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #openFiles(): Promise<Opened> {
    await mkdir(this.#directory, { recursive: true });
    const lock = await DirectoryLock.take(this.#directory);
    try {
      const memory = new MemoryStorage({ messagesMax: this.#messagesMax });
      const path = join(this.#directory, "journal.jsonl");
      const journal = await JournalFile.open(path, (change) => memory.apply(change));
      return { lock, memory, journal, compactedBytes: journal.bytes };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The change is seen by readers once it is in the journal, never before. */
  async #write(opened: Opened, change: StorageChange): Promise<void> {
    const { memory, journal } = opened;
    // A journal that failed is replaced before anything else is promised.
    if (journal.isDoubtful) await this.#compact(opened);
    await journal.append(change, change.durable !== false);
    memory.apply(change);
    if (journal.bytes > Math.max(this.#compactBytesMin, 4 * opened.compactedBytes))
      // What is promised is on disk already; a failure here leaves the old journal in place, for the next time.
      await this.#compact(opened).catch(() => {
        opened.compactedBytes = journal.bytes;
      });
  }

  async #compact(opened: Opened): Promise<void> {
    await opened.journal.replace(snapshot(opened.memory));
    opened.compactedBytes = opened.journal.bytes;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

interface Opened {
  readonly lock: DirectoryLock;
  readonly memory: MemoryStorage;
  readonly journal: JournalFile;
  /** Size of the journal after it was last written anew. */
  compactedBytes: number;
}

/** Changes that make the present state. */
function* snapshot(memory: MemoryStorage): Iterable<StorageChange> {
  const { installation, conversations, outbox, numbers, chains } = memory.state();
  yield { installation, conversations, outbox, numbers, chains };
  let messages: Message[] = [];
  for (const message of memory.allMessages()) {
    messages.push(message);
    if (messages.length < messagesPerLine) continue;
    yield { messages };
    messages = [];
  }
  if (messages.length > 0) yield { messages };
}
