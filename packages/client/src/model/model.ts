import { ProtocolError } from "@hongyan/protocol";
import type {
  ClientSettings,
  ConnectionState,
  LocalMessage,
  MembersSnapshot,
  Message,
  ReceiptsSnapshot,
  RefreshableView,
} from "../api.ts";
import { isConnected } from "../engine/connection-state.ts";
import { isSystem, newRecord } from "../engine/conversation-record.ts";
import type { Answer, Request } from "../engine/requests.ts";
import type { Update } from "../engine/update.ts";
import { type MessageName, messageKey } from "../message-key.ts";
import type {
  Clock,
  ConversationRecord,
  Installation,
  Storage,
  StorageChange,
  StoredState,
} from "../ports.ts";
import { Cell } from "./cell.ts";
import { ConversationList } from "./conversation-list.ts";
import { asError, Events } from "./events.ts";
import { Locals } from "./locals.ts";
import { MembersView } from "./members-view.ts";
import { MessageWindow } from "./message-window.ts";
import { Presence } from "./presence.ts";
import { Profiles } from "./profiles.ts";
import { ReceiptsView } from "./receipts-view.ts";
import type { Ticks } from "./shown-message.ts";

/** Windows that keep their entries although nobody looks. */
const warmWindowsMax = 20;
const catchUpPage = 200;

export interface ModelSurroundings {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly settings: ClientSettings;
  call(request: Request): Promise<Answer>;
}

/**
 * What is shown, in one tab: fed with the updates of the engine, be it here or in the tab that leads. It decides
 * nothing; everything in it can be made again from the storage and from what the engine says.
 */
export class Model {
  readonly events = new Events();
  readonly connection = new Cell<ConnectionState>({ status: "idle" });
  readonly conversations: ConversationList;
  readonly profiles: Profiles;
  readonly presence: Presence;
  readonly #around: ModelSurroundings;
  readonly #locals = new Locals();
  readonly #windows = new Map<string, MessageWindow>();
  readonly #members = new Map<string, MembersView>();
  readonly #receipts = new Map<string, ReceiptsView>();
  /** The last entry of each conversation that this tab has seen. */
  readonly #seen = new Map<string, number>();
  readonly #outcomes = new Map<
    string,
    { resolve: (message: Message) => void; reject: (error: unknown) => void }[]
  >();
  #installation: Installation | undefined;

  constructor(around: ModelSurroundings) {
    this.#around = around;
    this.profiles = new Profiles((request) => around.call(request));
    this.presence = new Presence(
      (request) => around.call(request),
      () => this.connection.snapshot.status === "live",
    );
    this.conversations = new ConversationList({
      locals: this.#locals,
      ticks: (record) => this.#ticks(record),
      user: () => this.user,
      unborn: (conversation) => newRecord(conversation),
    });
  }

  get user(): string | undefined {
    return this.#installation?.user;
  }

  get device(): string | undefined {
    return this.#installation?.device;
  }

  /** Shows what is kept on this device. */
  load(state: StoredState): void {
    this.#identify(state.installation);
    for (const record of state.conversations) {
      this.conversations.put(record);
      this.#seen.set(record.conversation, record.position ?? 0);
    }
    for (const message of state.outbox) this.#locals.put(message);
    for (const message of state.outbox) this.#changed(message.conversation);
  }

  /**
   * Catches up with a storage that went on without this tab being told (the tab that led has died in the middle).
   * Entries that were handed over there are handed over here.
   */
  async reload(state: StoredState): Promise<void> {
    this.#identify(state.installation);
    for (const record of state.conversations) {
      const { conversation, position = 0 } = record;
      let seen = this.#seen.get(conversation) ?? 0;
      while (seen < position) {
        const page = await this.#around.storage.messages(conversation, { after: seen }, catchUpPage);
        const messages = page.filter(({ seq }) => seq <= position);
        if (messages.length === 0) break;
        seen = messages.at(-1)?.seq ?? position;
        this.update({ kind: "change", change: { messages } }, true);
      }
      this.update({ kind: "change", change: { conversations: [record] } }, true);
    }
    const kept = new Set(state.outbox.map(messageKey));
    // One that is stored but not seen in the log yet comes with the log; one that just was queued here stays.
    for (const conversation of [...this.#locals.conversations()])
      for (const local of this.#locals.of(conversation))
        if (!kept.has(messageKey(local)) && local.status !== "queued") this.#locals.remove(local);
    this.update({ kind: "change", change: { outbox: state.outbox } }, true);
  }

  /** An own message, before it is on disk: it is shown at once. */
  queued(message: LocalMessage): void {
    this.#locals.put(message);
    this.#changed(message.conversation);
  }

  /** `isTold`: the engine that says this is in another tab, which has handed the entries to its own handlers only. */
  update(update: Update, isTold: boolean): void {
    switch (update.kind) {
      case "change":
        return this.#change(update.change, isTold);
      case "state":
        return this.#state(update.state);
      case "receipt":
        this.#receipts.get(update.receipt.conversation)?.receipt(update.receipt);
        return this.events.emit("receipt", update.receipt);
      case "online":
        return this.presence.told(update.user, update.online);
      case "receiptsMissed":
        for (const view of this.#receipts.values()) view.renew();
        return;
      case "error":
        return this.events.emit("error", new Error(update.message));
    }
  }

  window(conversation: string): MessageWindow {
    let window = this.#windows.get(conversation);
    if (window === undefined) {
      window = new MessageWindow(conversation, {
        storage: this.#around.storage,
        settings: this.#around.settings,
        locals: this.#locals,
        user: () => this.user,
        record: (of) => this.conversations.record(of),
        ticks: (of) => this.#ticks(this.conversations.record(of)),
        isConnected: () => isConnected(this.connection.snapshot),
        call: (request) => this.#around.call(request),
        watched: (of, isWatched) => this.#watched(of, isWatched),
      });
      this.#windows.set(conversation, window);
    }
    return window;
  }

  members(conversation: string): RefreshableView<MembersSnapshot> {
    let view = this.#members.get(conversation);
    if (view === undefined) {
      const named = (user: string, name: string): void => this.profiles.named(user, name);
      view = new MembersView(conversation, (request) => this.#around.call(request), named);
      this.#members.set(conversation, view);
    }
    return view;
  }

  receipts(conversation: string): RefreshableView<ReceiptsSnapshot> {
    return this.#receiptsOf(conversation);
  }

  local(message: MessageName): LocalMessage | undefined {
    return this.#locals.get(message);
  }

  /** Resolves or rejects with what becomes of an own message. */
  outcome(message: LocalMessage): Promise<Message> {
    const known = this.#locals.get(message);
    if (known?.status === "failed") return Promise.reject(refusal(known));
    if (known?.status === "stored") return Promise.resolve(this.#entry(known));
    if (known === undefined)
      return Promise.reject(new ProtocolError("not_found", "this message is not on its way any more"));
    return new Promise((resolve, reject) => {
      const waiting = this.#outcomes.get(messageKey(message)) ?? [];
      waiting.push({ resolve, reject });
      this.#outcomes.set(messageKey(message), waiting);
    });
  }

  /** Unread messages of others in (seq, head], where everything in between is shown. */
  unreadAfter(conversation: string, seq: number): number | undefined {
    const record = this.conversations.record(conversation);
    if (record === undefined) return undefined;
    if (seq >= record.head) return 0;
    const { messages } = this.window(conversation).snapshot;
    let next = record.head;
    let unread = 0;
    for (const message of messages.toReversed()) {
      if (message.seq === 0 || message.seq > record.head) continue;
      if (message.seq <= seq) return next === seq ? unread : undefined;
      if (message.seq !== next) return undefined;
      next--;
      if (!message.own && !message.system) unread++;
    }
    return next === seq ? unread : undefined;
  }

  #identify(installation: Installation | undefined): void {
    if (installation === undefined) return;
    const isNews = installation.user !== this.user;
    this.#installation = installation;
    if (!isNews) return;
    this.conversations.view.changed();
    for (const window of this.#windows.values()) window.show();
  }

  #state(state: ConnectionState): void {
    const before = this.connection.snapshot;
    this.connection.set(state);
    this.events.emit("state", state);
    if (!isConnected(state)) this.presence.disconnected();
    if (state.status !== "live" || before.status === "live") return;
    this.profiles.connected();
    this.presence.connected();
    for (const window of this.#windows.values()) window.wake();
    for (const view of this.#members.values()) view.changed();
    for (const view of this.#receipts.values()) view.renew();
  }

  #change(change: StorageChange, isTold: boolean): void {
    if (change.reset === true) this.#forget();
    this.#identify(change.installation);
    const touched = new Set<string>();
    for (const message of change.outbox ?? []) {
      const before = this.#locals.get(message);
      this.#locals.put(message);
      touched.add(message.conversation);
      if (message.status === "failed" && before?.status !== "failed") this.#failed(message);
    }
    for (const message of change.stored ?? []) {
      this.#locals.put(message);
      touched.add(message.conversation);
    }
    for (const message of change.discarded ?? []) {
      const removed = this.#locals.remove(message);
      if (removed !== undefined) touched.add(removed.conversation);
    }
    for (const conversation of this.#entries(change.messages ?? [], isTold)) touched.add(conversation);
    for (const record of change.conversations ?? []) {
      this.conversations.put(record);
      touched.add(record.conversation);
    }
    for (const message of change.stored ?? []) this.#stored(message);
    for (const conversation of touched) this.#changed(conversation);
    if (!this.events.has("conversation")) return;
    for (const { conversation } of change.conversations ?? []) {
      const snapshot = this.conversations.get(conversation);
      if (snapshot !== undefined) this.events.emit("conversation", snapshot);
    }
  }

  /** New entries of logs, in order within each conversation. Returns the conversations. */
  #entries(messages: readonly Message[], isTold: boolean): Iterable<string> {
    const news = new Map<string, Message[]>();
    for (const message of messages) {
      const { conversation, seq } = message;
      if (seq <= (this.#seen.get(conversation) ?? 0)) continue;
      this.#seen.set(conversation, seq);
      const list = news.get(conversation);
      if (list === undefined) news.set(conversation, [message]);
      else list.push(message);
    }
    for (const [conversation, list] of news) {
      this.#windows.get(conversation)?.append(list);
      for (const message of list) this.#arrived(message);
      if (list.some(({ messageType }) => isSystem(messageType))) {
        this.#members.get(conversation)?.changed();
        this.#receipts.get(conversation)?.renew();
      }
      if (isTold) for (const message of list) this.#tell(message);
    }
    return news.keys();
  }

  /** An own message is in the log: it is not local any more. */
  #arrived(message: Message): void {
    const { from, clientMessageId, seq, time } = message;
    if (from !== this.user || clientMessageId === "") return;
    const local = this.#locals.remove(message);
    // Told by the log alone, where the tab that led has died before it could tell.
    if (local !== undefined && local.status !== "stored")
      this.#stored({ ...local, status: "stored", seq, time });
  }

  /** Handlers in a tab that does not lead cannot hold back the position: their failures are reported. */
  #tell(message: Message): void {
    try {
      this.events.deliver(message)?.catch((error: unknown) => this.events.emit("error", asError(error)));
    } catch (error) {
      this.events.emit("error", asError(error));
    }
  }

  #stored(message: LocalMessage): void {
    if (message.seq <= (this.#seen.get(message.conversation) ?? 0)) this.#locals.remove(message);
    this.events.emit("sent", message);
    for (const { resolve } of this.#settle(message)) resolve(this.#entry(message));
  }

  #failed(message: LocalMessage): void {
    this.events.emit("failed", message);
    for (const { reject } of this.#settle(message)) reject(refusal(message));
  }

  #settle(message: LocalMessage) {
    const key = messageKey(message);
    const waiting = this.#outcomes.get(key) ?? [];
    this.#outcomes.delete(key);
    return waiting;
  }

  #entry({ conversation, seq, time, clientMessageId, messageType, body }: LocalMessage): Message {
    return { conversation, seq, from: this.user ?? "", time, clientMessageId, messageType, body };
  }

  #forget(): void {
    this.conversations.forget();
    this.#seen.clear();
    for (const window of this.#windows.values()) window.forget();
  }

  #changed(conversation: string): void {
    this.conversations.view.changed();
    const window = this.#windows.get(conversation);
    if (window === undefined) return;
    window.recordChanged();
    window.show();
  }

  #ticks(record: ConversationRecord | undefined): Ticks {
    if (record === undefined) return { delivered: 0, seen: 0 };
    if (record.kind === "direct")
      return { delivered: Math.max(record.delivered, record.seen), seen: record.seen };
    const view = this.#receipts.get(record.conversation);
    return view === undefined ? { delivered: 0, seen: 0 } : view.ticks(record.members - 1);
  }

  #receiptsOf(conversation: string): ReceiptsView {
    let view = this.#receipts.get(conversation);
    if (view === undefined) {
      view = new ReceiptsView(conversation, {
        call: (request) => this.#around.call(request),
        user: () => this.user,
        changed: () => this.#changed(conversation),
      });
      this.#receipts.set(conversation, view);
    }
    return view;
  }

  #watched(conversation: string, isWatched: boolean): void {
    if (this.conversations.record(conversation)?.kind !== "direct")
      this.#receiptsOf(conversation).want(isWatched);
    if (isWatched) return;
    // The one that was left last is at the end.
    const window = this.window(conversation);
    this.#windows.delete(conversation);
    this.#windows.set(conversation, window);
    const cold = [...this.#windows.values()].filter((one) => !one.isWatched);
    for (const one of cold.slice(0, Math.max(0, cold.length - warmWindowsMax))) one.sleep();
  }
}

function refusal({ failure }: LocalMessage): ProtocolError {
  return new ProtocolError(failure?.code ?? "internal", failure?.message);
}
