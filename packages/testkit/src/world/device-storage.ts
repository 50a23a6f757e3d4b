import type {
  ConversationRecord,
  Installation,
  LocalMessage,
  Message,
  MessageRange,
  Storage,
  StorageChange,
  StoredState,
} from "@hongyan/client";
import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";

/** What a device has kept. */
interface Kept {
  installation: Installation | undefined;
  readonly conversations: Map<string, ConversationRecord>;
  readonly outbox: Map<string, LocalMessage>;
  readonly numbers: Map<string, number>;
  readonly chains: Map<string, string>;
  readonly messages: Map<string, Map<number, Message>>;
}

function nothing(): Kept {
  return {
    installation: undefined,
    conversations: new Map(),
    outbox: new Map(),
    numbers: new Map(),
    chains: new Map(),
    messages: new Map(),
  };
}

/** What is written and may still be lost. */
interface Pending {
  readonly change: StorageChange;
  readonly resolve: () => void;
}

/**
 * The storage of a device's flash memory: changes take effect whole and in order, after a while; a crash keeps some
 * beginning of what was not confirmed, and of what was confirmed as not durable.
 */
export class DeviceStorage {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #latencyMsMax: number;
  /** Survives everything. */
  #durable = nothing();
  /** Durable, and what would be lost. */
  #visible = nothing();
  #volatile: StorageChange[] = [];
  #pending: Pending[] = [];
  #life = 0;
  #isBusy = false;
  /** Told of what can be lost no more. */
  onDurable: (change: StorageChange) => void = () => {};

  constructor(scheduler: Scheduler, random: SeededRandom, latencyMsMax: number) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#latencyMsMax = latencyMsMax;
  }

  /** For one run of the program; older ones fall silent. */
  open(): Storage {
    const life = ++this.#life;
    return {
      load: () => this.#later(life, () => stateOf(this.#visible)),
      commit: (change) => this.#commit(life, change),
      messages: (conversation, range, count) =>
        this.#later(life, () => this.#page(conversation, range, count)),
      close: () => this.#later(life, () => {}),
    };
  }

  crash(): void {
    this.#life++;
    this.#isBusy = false;
    const open = [...this.#volatile, ...this.#pending.map(({ change }) => change)];
    const survivors = open.length === 0 ? 0 : this.#random.between(0, open.length);
    for (const change of open.slice(0, survivors)) this.#makeDurable(change);
    this.#volatile = [];
    this.#pending = [];
    this.#visible = nothing();
    copyInto(this.#visible, this.#durable);
  }

  /** The last message that was handed over and recorded, 0 for none. */
  position(conversation: string): number {
    return this.#durable.conversations.get(conversation)?.position ?? 0;
  }

  #commit(life: number, change: StorageChange): Promise<void> {
    if (life !== this.#life) return new Promise(() => {});
    return new Promise((resolve) => {
      this.#pending.push({ change, resolve });
      if (!this.#isBusy) this.#work();
    });
  }

  #work(): void {
    const next = this.#pending[0];
    this.#isBusy = next !== undefined;
    if (next === undefined) return;
    this.#schedule(this.#life, () => {
      this.#pending.shift();
      apply(this.#visible, next.change);
      this.#volatile.push(next.change);
      if (next.change.durable !== false) {
        for (const change of this.#volatile) this.#makeDurable(change);
        this.#volatile = [];
      }
      next.resolve();
      this.#work();
    });
  }

  #makeDurable(change: StorageChange): void {
    apply(this.#durable, change);
    this.onDurable(change);
  }

  #page(conversation: string, range: MessageRange, count: number): Message[] {
    const messages = [...(this.#visible.messages.get(conversation)?.values() ?? [])];
    if ("before" in range) {
      const below = messages
        .filter(({ seq }) => seq < range.before)
        .sort((one, other) => other.seq - one.seq);
      return below.slice(0, count);
    }
    return messages
      .filter(({ seq }) => seq > range.after)
      .sort((one, other) => one.seq - other.seq)
      .slice(0, count);
  }

  #later<T>(life: number, work: () => T): Promise<T> {
    return new Promise((resolve) => this.#schedule(life, () => resolve(work())));
  }

  #schedule(life: number, work: () => void): void {
    this.#scheduler.after(this.#random.fraction() * this.#latencyMsMax, () => {
      if (life === this.#life) work();
    });
  }
}

function apply(kept: Kept, change: StorageChange): void {
  if (change.reset === true) {
    kept.conversations.clear();
    kept.messages.clear();
    kept.chains.clear();
  }
  if (change.installation !== undefined) kept.installation = change.installation;
  for (const record of change.conversations ?? []) kept.conversations.set(record.conversation, record);
  for (const message of change.messages ?? []) {
    const messages = kept.messages.getOrInsertComputed(message.conversation, () => new Map());
    // A message that shares its memory with a frame would change behind our back.
    messages.set(message.seq, { ...message, body: message.body.slice() });
  }
  for (const message of change.outbox ?? [])
    kept.outbox.set(placeOf(message), { ...message, body: message.body.slice() });
  for (const message of change.stored ?? []) kept.outbox.delete(placeOf(message));
  for (const message of change.discarded ?? []) kept.outbox.delete(placeOf(message));
  for (const [conversation, next] of change.numbers ?? []) kept.numbers.set(conversation, next);
  for (const [conversation, last] of change.chains ?? []) kept.chains.set(conversation, last);
}

function copyInto(target: Kept, source: Kept): void {
  target.installation = source.installation;
  for (const [key, value] of source.conversations) target.conversations.set(key, value);
  for (const [key, value] of source.outbox) target.outbox.set(key, value);
  for (const [key, value] of source.numbers) target.numbers.set(key, value);
  for (const [key, value] of source.chains) target.chains.set(key, value);
  for (const [key, value] of source.messages) target.messages.set(key, new Map(value));
}

function stateOf(kept: Kept): StoredState {
  return {
    installation: kept.installation,
    conversations: [...kept.conversations.values()],
    outbox: [...kept.outbox.values()],
    numbers: [...kept.numbers],
    chains: [...kept.chains],
  };
}

/** Client message ids are counted per conversation. */
function placeOf({ conversation, clientMessageId }: LocalMessage): string {
  return `${conversation} ${clientMessageId}`;
}
