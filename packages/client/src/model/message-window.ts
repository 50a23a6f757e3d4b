import { type FrameNamed, ProtocolError } from "@hongyan/protocol";
import type {
  ClientSettings,
  LocalMessage,
  Message,
  MessagesSnapshot,
  MessagesView,
  ShownMessage,
} from "../api.ts";
import { messagesOf } from "../engine/message-of.ts";
import type { Answer, Request } from "../engine/requests.ts";
import type { ConversationRecord, Storage } from "../ports.ts";
import { Cell } from "./cell.ts";
import { failedPlace } from "./failed-place.ts";
import type { Locals } from "./locals.ts";
import { showEntry, showLocal, type Ticks } from "./shown-message.ts";

/** What a window needs from the model. */
export interface WindowSurroundings {
  readonly storage: Storage;
  readonly settings: ClientSettings;
  readonly locals: Locals;
  user(): string | undefined;
  record(conversation: string): ConversationRecord | undefined;
  ticks(conversation: string): Ticks;
  isConnected(): boolean;
  call(request: Request): Promise<Answer>;
  watched(conversation: string, isWatched: boolean): void;
}

/**
 * The messages of one conversation that are looked at: a piece of the log without holes, from the cache where it
 * has them, from the server where not. Bounded: what is added at one end beyond the limit is let go at the other.
 */
export class MessageWindow implements MessagesView {
  readonly conversation: string;
  readonly #around: WindowSurroundings;
  readonly #cell: Cell<MessagesSnapshot>;
  #entries: Message[] = [];
  #shown = new Map<number, ShownMessage>();
  #atStart = false;
  #atEnd = true;
  #isLoaded = false;
  #loading: Promise<void> | undefined;
  /** What was appended while the first page was read. */
  #early: Message[] = [];

  constructor(conversation: string, around: WindowSurroundings) {
    this.conversation = conversation;
    this.#around = around;
    this.#cell = new Cell<MessagesSnapshot>(
      { conversation, messages: [], atStart: false, atEnd: true, loading: false },
      (isWatched) => {
        around.watched(conversation, isWatched);
        if (isWatched) this.wake();
      },
    );
    this.show();
  }

  get snapshot(): MessagesSnapshot {
    return this.#cell.snapshot;
  }

  get isWatched(): boolean {
    return this.#cell.isWatched;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#cell.subscribe(listener);

  readonly loadOlder = (): Promise<void> =>
    this.#load(() => this.#older(this.#around.settings.viewMessagesStep));

  readonly loadNewer = (): Promise<void> => this.#load(() => this.#newer());

  readonly toLatest = (): Promise<void> => {
    if (this.#atEnd && this.#isLoaded) return Promise.resolve();
    if (this.#loading !== undefined) return this.#loading.catch(() => undefined).then(this.toLatest);
    return this.#load(async () => {
      this.#reset();
      await this.#latest();
    });
  };

  /** Somebody looks, or the connection is back: fills the first page if it is not full yet. */
  wake(): void {
    if (!this.isWatched || this.#loading !== undefined) return;
    const wanted = this.#around.settings.viewMessagesFirst;
    if (this.#isLoaded && (this.#atStart || this.#entries.length >= wanted)) return;
    this.#load(async () => {
      if (!this.#isLoaded) await this.#latest();
      if (!this.#atStart && this.#entries.length < wanted && this.#around.isConnected())
        await this.#older(wanted - this.#entries.length);
    }).catch(() => undefined); // Offline, most likely: the next connection wakes it again.
  }

  /** New entries of the log, in order. */
  append(messages: readonly Message[]): void {
    if (!this.#isLoaded) {
      if (this.#loading !== undefined) this.#early.push(...messages);
      return;
    }
    if (!this.#atEnd) return;
    for (const message of messages) {
      const high = this.#entries.at(-1)?.seq;
      if (high !== undefined && message.seq <= high) continue;
      if (high !== undefined && message.seq > high + 1) {
        // What lies between is beyond reach (the user was away from the group); older pages are asked for anew.
        this.#entries = [];
        this.#atStart = false;
      }
      this.#entries.push(message);
    }
    this.#cutOldest();
    this.show();
  }

  /** The conversation is known better than before: there may be something older after all. */
  recordChanged(): void {
    const record = this.#around.record(this.conversation);
    if (!this.#isLoaded || this.#entries.length > 0 || record?.position === undefined) return;
    if (record.position < record.first) return;
    this.#atStart = false;
    this.wake();
  }

  /** Nobody has looked for a while: the entries are let go, and read again from the cache. */
  sleep(): void {
    if (this.isWatched || this.#loading !== undefined) return;
    this.#reset();
    this.show();
  }

  /** Everything from the server is void. */
  forget(): void {
    this.#reset();
    this.show();
    this.wake();
  }

  /** Builds the snapshot anew: ticks, local messages or the user have changed. */
  show(): void {
    const { conversation } = this;
    const { locals } = this.#around;
    const user = this.#around.user();
    const ticks = this.#around.ticks(conversation);
    const shown = new Map<number, ShownMessage>();
    const before = this.#cell.snapshot;
    const placed = this.#placeLocals(locals.of(conversation), user, ticks, before.messages);
    const messages: ShownMessage[] = [];
    this.#entries.forEach((entry, at) => {
      const message = showEntry(entry, user, ticks, this.#shown.get(entry.seq));
      shown.set(entry.seq, message);
      messages.push(...(placed.get(at) ?? []), message);
    });
    this.#shown = shown;
    messages.push(...(placed.get(this.#entries.length) ?? []));
    const loading = this.#loading !== undefined;
    const { atStart, atEnd } = { atStart: this.#atStart, atEnd: this.#atEnd };
    if (
      before.atStart === atStart &&
      before.atEnd === atEnd &&
      before.loading === loading &&
      before.messages.length === messages.length &&
      before.messages.every((message, at) => message === messages[at])
    )
      return;
    this.#cell.set({ conversation, messages, atStart, atEnd, loading });
  }

  /**
   * Own messages that are not in the log, under the index of the entry they stand before: at the end what is on its
   * way, at the place where it was sent what was refused. One that belongs above or below this piece of the log is
   * shown with the piece it belongs to.
   */
  #placeLocals(
    locals: readonly LocalMessage[],
    user: string | undefined,
    ticks: Ticks,
    before: readonly ShownMessage[],
  ): ReadonlyMap<number, readonly ShownMessage[]> {
    const placed = new Map<number, ShownMessage[]>();
    if (locals.length === 0) return placed;
    const end = this.#entries.length;
    const high = this.#entries.at(-1)?.seq ?? 0;
    const old = new Map(before.map((message) => [message.key, message]));
    for (const local of locals) {
      if (local.status === "stored" && local.seq <= high) continue;
      const place = local.status === "failed" ? failedPlace(local, this.#entries, user) : end;
      if (place === end ? !this.#atEnd : place === 0 && !this.#atStart) continue;
      const message = showLocal(local, user, ticks);
      const known = old.get(message.key);
      const here = placed.get(place) ?? [];
      here.push(known !== undefined && isSame(known, message) ? known : message);
      placed.set(place, here);
    }
    return placed;
  }

  #load(work: () => Promise<void>): Promise<void> {
    if (this.#loading !== undefined) return this.#loading;
    const loading = work().finally(() => {
      this.#loading = undefined;
      this.show();
    });
    this.#loading = loading;
    this.show();
    return loading;
  }

  #reset(): void {
    this.#entries = [];
    this.#early = [];
    this.#isLoaded = false;
    this.#atStart = false;
    this.#atEnd = true;
  }

  /** The newest entries that are kept here. */
  async #latest(): Promise<void> {
    const { storage, settings } = this.#around;
    this.#early = [];
    const position = this.#around.record(this.conversation)?.position;
    const newest = await storage.messages(
      this.conversation,
      { before: (position ?? Number.MAX_SAFE_INTEGER - 1) + 1 },
      settings.viewMessagesFirst,
    );
    const run = connected(newest, (newest[0]?.seq ?? 0) + 1);
    // A cache that ends before the position has lost its end: the server has it.
    if (position === undefined || run[0]?.seq === position) this.#entries = run.reverse();
    this.#isLoaded = true;
    this.#noteStart();
    const early = this.#early;
    this.#early = [];
    this.append(early);
  }

  async #older(count: number): Promise<void> {
    if (!this.#isLoaded) await this.#latest();
    if (this.#atStart) return;
    const { storage, settings } = this.#around;
    const record = this.#around.record(this.conversation);
    const before =
      this.#entries[0]?.seq ?? (record?.position === undefined ? undefined : record.position + 1);
    const lowest = this.#entries[0];
    let page: readonly Message[] = [];
    if (before !== undefined)
      page = connected(await storage.messages(this.conversation, { before }, count), before);
    let hasMore = true;
    if (page.length === 0)
      [page, hasMore] = await this.#ask({ before, limit: Math.max(count, settings.viewMessagesStep) });
    // The window was replaced while the page was on its way.
    if (this.#entries[0] !== lowest) return;
    this.#entries = [...page.toReversed(), ...this.#entries];
    this.#noteStart();
    if (!hasMore) this.#atStart = true;
    const max = settings.viewMessagesMax;
    if (this.#entries.length <= max) return;
    this.#entries.length = max;
    this.#atEnd = false;
  }

  async #newer(): Promise<void> {
    const high = this.#entries.at(-1);
    if (this.#atEnd || high === undefined) return;
    const { storage, settings } = this.#around;
    const count = settings.viewMessagesStep;
    let page = connectedUp(await storage.messages(this.conversation, { after: high.seq }, count), high.seq);
    if (page.length === 0) [page] = await this.#ask({ after: high.seq, limit: count });
    const position = this.#around.record(this.conversation)?.position ?? 0;
    page = page.filter(({ seq }) => seq <= position);
    if (this.#entries.at(-1) !== high) return;
    this.#entries = [...this.#entries, ...page];
    this.#atEnd = page.length === 0 || (page.at(-1)?.seq ?? 0) >= position;
    this.#cutOldest();
  }

  /** A page from the server, kept in the cache; newest first for `before`, oldest first for `after`. */
  async #ask(range: {
    before?: number | undefined;
    after?: number;
    limit: number;
  }): Promise<[Message[], boolean]> {
    if (!this.#around.isConnected())
      throw new ProtocolError("unavailable", "offline, and not kept on this device");
    const { conversation } = this;
    const { reply, items } = await this.#around.call({ type: "history", conversation, ...range });
    const bySeq = new Map(messagesOf(items).map((message) => [message.seq, message]));
    const { count, more } = reply as FrameNamed<"history.ok">;
    if (bySeq.size !== count) throw new ProtocolError("unavailable", "a part of the page was lost");
    const descending = range.after === undefined;
    const page = [...bySeq.values()].sort((a, b) => (descending ? b.seq - a.seq : a.seq - b.seq));
    if (page.length > 0)
      // The cache is a convenience: without it the server is asked again.
      await this.#around.storage.commit({ durable: false, messages: page }).catch(() => undefined);
    return [page, more];
  }

  #noteStart(): void {
    const record = this.#around.record(this.conversation);
    const low = this.#entries[0]?.seq;
    const first = record?.first ?? 1;
    if (record === undefined || record.position === 0 || (low !== undefined && low <= first))
      this.#atStart = true;
    if (record?.position !== undefined && low === undefined && record.position < first) this.#atStart = true;
  }

  #cutOldest(): void {
    const excess = this.#entries.length - this.#around.settings.viewMessagesMax;
    if (excess <= 0) return;
    this.#entries.splice(0, excess);
    this.#atStart = false;
  }
}

/** The beginning of a descending page that follows `before` without a hole. */
function connected(page: readonly Message[], before: number): Message[] {
  const run: Message[] = [];
  for (const message of page) {
    if (message.seq !== before - 1 - run.length) break;
    run.push(message);
  }
  return run;
}

function connectedUp(page: readonly Message[], after: number): Message[] {
  const run: Message[] = [];
  for (const message of page) {
    if (message.seq !== after + 1 + run.length) break;
    run.push(message);
  }
  return run;
}

function isSame(one: ShownMessage, other: ShownMessage): boolean {
  return (
    one.status === other.status &&
    one.seq === other.seq &&
    one.time === other.time &&
    one.failure === other.failure
  );
}
