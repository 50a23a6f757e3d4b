/**
 * The public API of the client SDK, types only. `createClient` of `@hongyan/client` (browsers), of
 * `@hongyan/client/node` and the hooks of `@hongyan/client/react` speak it.
 *
 * What is shown is read through *views*: an immutable snapshot that keeps its identity until something in it
 * changes, and a way to be told. That is what React's `useSyncExternalStore` needs, and plain code too.
 */
import type { ErrorName } from "@hongyan/protocol";
import type { Storage } from "./ports.ts";

// ── Making a client ────────────────────────────────────────────────────────────────────────────────────────────

/** How to reach the server. `auto`: WebSocket, and long poll where WebSocket cannot be opened. `tcp`: Node only. */
export type TransportName = "auto" | "websocket" | "poll" | "stream" | "tcp";

export interface ClientOptions {
  /**
   * Where the server is: `https://chat.example.com` (a path in front is kept: `https://example.com/chat`). Also
   * `ws://` and `wss://`; `tcp://host:port` in Node. Default in browsers: the origin of the page.
   */
  readonly url?: string | undefined;
  /**
   * The token of the user, or a function that fetches one. The function is asked at the first connection and
   * again when the server says `token_expired`; a rejection counts as a failed attempt to connect. With a plain
   * string the client stops when the token expires.
   */
  readonly token: string | (() => Promise<string>);
  /**
   * Names the data kept on this device, so that two people who use one browser do not meet. Default: the
   * `domain` and `sub` of the token where it is a plain string, otherwise `default`. Connecting as another user
   * than the one whose data are kept stops the client with `other_user`; nothing is mixed.
   */
  readonly account?: string | undefined;
  /** Id of this device. Default: made once per installation and kept in the storage. */
  readonly device?: string | undefined;
  /** What kind of device this is, for example `web`, `ios`, `bot`; at most 32 characters. */
  readonly platform?: string | undefined;
  readonly transport?: TransportName | undefined;
  /**
   * Where outbox, positions and messages are kept. Default in browsers: IndexedDB, shared by the tabs of `account`,
   * which then are one device. Default in Node: memory; `FileStorage` of `@hongyan/client/node` survives a restart.
   */
  readonly storage?: Storage | undefined;
  /** How fields travel where the transport is binary. Default `messagepack`. */
  readonly codec?: "messagepack" | "json" | undefined;
  /** Bounds and times; every one has a default that fits. */
  readonly settings?: Partial<ClientSettings> | undefined;
}

/** Named bounds and times of a client. Times in milliseconds. */
export interface ClientSettings {
  /** First wait before connecting again is random up to this; it doubles up to `reconnectDelayMsMax`. */
  readonly reconnectDelayMsFirst: number;
  readonly reconnectDelayMsMax: number;
  /** Time for a connection to open and to be accepted. */
  readonly connectTimeoutMs: number;
  /** A command that is not answered for so long counts as lost. */
  readonly requestTimeoutMs: number;
  /** A call of the application waits so long for a connection and an answer before it is rejected. */
  readonly callTimeoutMs: number;
  /** Unanswered sends are sent again after a time between these two, which then doubles up to the last. */
  readonly resendDelayMsMin: number;
  readonly resendDelayMsFirstMax: number;
  readonly resendDelayMsMax: number;
  /** Sends of one conversation that may be unanswered at once; the others wait in the outbox. */
  readonly inFlightMax: number;
  /** Bytes of bodies that may be unanswered at once, over all conversations. */
  readonly inFlightBytesMax: number;
  /** Acknowledgements leave after so many messages or so long, whichever is first. */
  readonly ackMessagesMax: number;
  readonly ackDelayMs: number;
  /** How long a hole in a conversation may be an accident of order before it is asked for. */
  readonly holeDelayMs: number;
  /** Bytes of messages held back behind holes, or handed over and not yet on disk; beyond, they are dropped and fetched again. */
  readonly holdBackBytesMax: number;
  /** Messages per page of sync and history. */
  readonly pageMessages: number;
  /** Messages that a message view shows at first, and how many it adds with `loadOlder`. */
  readonly viewMessagesFirst: number;
  readonly viewMessagesStep: number;
  /** Messages that a view holds at most; at the other end they are let go. */
  readonly viewMessagesMax: number;
  /** WebSocket is given up for long poll after so many failures in a row, and tried again after so long. */
  readonly websocketFailuresMax: number;
  readonly websocketAgainAfterMs: number;
}

// ── Connection ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Why a client does not connect any more by itself. `start()` tries again. */
export type StopReason =
  /** `stop()` was called. */
  | "stopped"
  /** A plain-string token is over. */
  | "token_expired"
  /** The server does not accept the token. */
  | "unauthorized"
  /** The same device has connected elsewhere. */
  | "replaced"
  /** An administrator or a policy ended the session. */
  | "kicked"
  /** Client and server do not speak the same version of the protocol, or did not understand each other. */
  | "protocol"
  /** The token belongs to another user than the data kept here. */
  | "other_user"
  /** The storage could not be opened or read. */
  | "storage";

/** What the connection is doing. `live` alone means: connected, and everything that was missed is here. */
export type ConnectionState =
  | { readonly status: "idle" }
  | { readonly status: "connecting"; readonly attempt: number; readonly transport: string }
  | { readonly status: "authenticating"; readonly attempt: number; readonly transport: string }
  | { readonly status: "syncing"; readonly transport: string; readonly session: string }
  | { readonly status: "live"; readonly transport: string; readonly session: string }
  /** Connects again at `retryAt` (milliseconds since 1970, by the clock of this device). */
  | {
      readonly status: "waiting";
      readonly attempt: number;
      readonly retryAt: number;
      readonly reason: string;
    }
  | { readonly status: "stopped"; readonly reason: StopReason; readonly message: string };

// ── Messages ───────────────────────────────────────────────────────────────────────────────────────────────────

/** One entry of a conversation's log. */
export interface Message {
  readonly conversation: string;
  /** Its place in the conversation, contiguous from 1. */
  readonly seq: number;
  /** Who sent it; for system entries, who did it. */
  readonly from: string;
  /** When the server stored it, milliseconds since 1970. */
  readonly time: number;
  /** Made by the sender; empty for system entries. */
  readonly clientMessageId: string;
  /** Free text; `hongyan.*` marks system entries (somebody was added, the name changed, …; body JSON). */
  readonly messageType: string | undefined;
  readonly body: Uint8Array;
}

/**
 * `queued`: on this device, not yet stored by the server. `stored`: durable at the server. `delivered`: on a device of
 * the other (in groups: of every other member). `read`: read by them. `failed`: the server refused it for good.
 * `received`: it is not ours.
 */
export type MessageStatus = "queued" | "stored" | "delivered" | "read" | "failed" | "received";

export interface SendFailure {
  readonly code: ErrorName;
  readonly message: string;
}

/** A message of this device that the server may not have yet. */
export interface LocalMessage {
  readonly conversation: string;
  readonly clientMessageId: string;
  readonly messageType: string | undefined;
  readonly body: Uint8Array;
  /** When `send` was called, by the clock of this device. */
  readonly time: number;
  readonly status: "queued" | "stored" | "failed";
  /** 0 until stored. */
  readonly seq: number;
  /** Only where the status is `failed`. */
  readonly failure: SendFailure | undefined;
}

/**
 * A message as a chat view shows it: stored ones in order, then those that are still on their way; one that was refused
 * for good stays at the place where it was sent.
 */
export interface ShownMessage {
  /** Stays the same from `queued` to `read`: the key of a list. */
  readonly key: string;
  readonly conversation: string;
  /** 0 until stored. */
  readonly seq: number;
  readonly from: string;
  readonly time: number;
  readonly clientMessageId: string;
  readonly messageType: string | undefined;
  readonly body: Uint8Array;
  /** The body as text, undefined where it is not UTF-8. */
  readonly text: string | undefined;
  /** Sent by this user, from whatever device. */
  readonly own: boolean;
  /** A `hongyan.*` entry. */
  readonly system: boolean;
  readonly status: MessageStatus;
  readonly failure: SendFailure | undefined;
}

// ── Views ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Something to show. `snapshot` is immutable and keeps its identity until something in it changes. */
export interface View<S> {
  readonly snapshot: S;
  /**
   * Calls `listener` after every change; the returned function ends it. A view loads what it needs while it has
   * listeners. All functions of a view may be passed on without it.
   */
  subscribe(listener: () => void): () => void;
}

export interface MessagesSnapshot {
  readonly conversation: string;
  /** Oldest first. */
  readonly messages: readonly ShownMessage[];
  /** Nothing older exists for this user. */
  readonly atStart: boolean;
  /** The newest message is in the window; false after paging far back. */
  readonly atEnd: boolean;
  /** A page is on its way. */
  readonly loading: boolean;
}

/** A window on one conversation. It follows the newest message as long as `atEnd`. */
export interface MessagesView extends View<MessagesSnapshot> {
  /** Shows one more page of older messages, from this device or from the server. Rejects when offline and not kept here. */
  loadOlder(): Promise<void>;
  /** The same towards the newest, after the window was moved back. */
  loadNewer(): Promise<void>;
  /** Back to the newest messages. */
  toLatest(): Promise<void>;
}

export interface LastMessage {
  readonly from: string;
  readonly time: number;
  readonly messageType: string | undefined;
  /** The beginning of the body, at most 200 characters; undefined where it is not text. */
  readonly text: string | undefined;
  /** For an own message how far it is; otherwise `received`. */
  readonly status: MessageStatus;
}

/** `none`: no member any more (or not yet). */
export type MemberRole = "owner" | "admin" | "member" | "none";

export interface Conversation {
  readonly conversation: string;
  readonly kind: "direct" | "group";
  /** Name of a group. */
  readonly name: string | undefined;
  /** The other user of a direct conversation (oneself in notes to self). */
  readonly peer: string | undefined;
  /** Whether anybody of the domain may join. */
  readonly open: boolean;
  readonly role: MemberRole;
  /** Number of members. */
  readonly members: number;
  /** First seq that this user may read. */
  readonly first: number;
  /** Highest seq that is known. */
  readonly head: number;
  /** What this user has read, on any device. */
  readonly read: number;
  /** Messages of others after `read`; system entries are not counted. */
  readonly unread: number;
  /** Every other member's devices have what is ≤ `delivered`, every other member has read what is ≤ `seen`. In groups known while receipts are watched. */
  readonly delivered: number;
  readonly seen: number;
  /** The newest message that is not a system entry; own ones on their way included. */
  readonly last: LastMessage | undefined;
  /** What the list is sorted by, newest first. */
  readonly activityAt: number;
}

export interface Member {
  readonly user: string;
  readonly name: string | undefined;
  readonly role: MemberRole;
  /** The seq at which the member joined. */
  readonly since: number;
}

export interface MembersSnapshot {
  readonly conversation: string;
  /** In the order of the server; empty until loaded. */
  readonly members: readonly Member[];
  readonly loaded: boolean;
}

/** How far one member is. */
export interface Receipt {
  readonly conversation: string;
  readonly user: string;
  /** The highest seq that a device of the user has acknowledged. */
  readonly delivered: number;
  /** The highest seq that the user has read. */
  readonly read: number;
}

export interface ReceiptsSnapshot {
  readonly conversation: string;
  /** Of the other members. */
  readonly receipts: readonly Receipt[];
  readonly loaded: boolean;
}

/** A view that can be fetched again. */
export interface RefreshableView<S> extends View<S> {
  refresh(): Promise<void>;
}

export interface User {
  readonly user: string;
  readonly name: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass as `after` for the next page; undefined on the last. */
  readonly next: string | undefined;
}

// ── Events ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** What can be listened to with `on`. */
export interface ClientEvents {
  /**
   * Every entry of every conversation, once and in the order of `seq` (G4): those of others, system entries, and
   * own ones once they are stored (`from` is the own user). The handler may return a promise. Only after it has
   * resolved are message and position written to the storage, and only then is the server told (G5). A handler
   * that throws is called again with the same message after a pause; the conversation waits. After a crash
   * between handler and storage the handler sees the message again: a handler with effects of its own keeps
   * `conversation` and `seq` with them. Register it before `start()`.
   */
  message: (message: Message) => void | Promise<void>;
  /** Somebody else has received or read up to a position. */
  receipt: (receipt: Receipt) => void;
  /** A conversation is new or has changed. */
  conversation: (conversation: Conversation) => void;
  state: (state: ConnectionState) => void;
  /** An own message of this device is stored. */
  sent: (message: LocalMessage) => void;
  /** An own message of this device was refused for good. It stays visible until `retry` or `discard`. */
  failed: (message: LocalMessage) => void;
  /** Something went wrong that the client survives: a handler threw, the storage failed and is tried again, … */
  error: (error: Error) => void;
}

export type ClientEventName = keyof ClientEvents;

// ── The client ─────────────────────────────────────────────────────────────────────────────────────────────────

export interface NewGroup {
  readonly name?: string | undefined;
  /** Members besides oneself. */
  readonly members?: readonly string[] | undefined;
  /** Anybody of the domain may join by themselves. */
  readonly open?: boolean | undefined;
  /** Id of the group; made at random where it is not given. */
  readonly conversation?: string | undefined;
}

/** A `LocalMessage` or `ShownMessage`, or what names it. */
export interface FailedMessage {
  readonly conversation: string;
  readonly clientMessageId: string;
}

/**
 * One user on one device. Calls that ask the server (those that return promises) wait for a connection up to
 * `callTimeoutMs` and are rejected with a `ProtocolError` (its `code` is a row of the error table).
 */
export interface Client {
  /** Loads what is kept on this device, then connects and stays connected. Resolves when the kept data can be shown. */
  start(): Promise<void>;
  /** Sends what can be sent at once, disconnects, releases the storage. Queued messages stay in the outbox. */
  stop(): Promise<void>;

  /** The user, once known: from the storage, or from the first connection. */
  readonly user: string | undefined;
  readonly device: string | undefined;
  /** `true` in the tab that owns the connection (always outside browsers). */
  readonly leader: boolean;

  readonly state: ConnectionState;
  readonly connection: View<ConnectionState>;
  /** Calls `handler` for every event of that name; the returned function ends it. */
  on<N extends ClientEventName>(name: N, handler: ClientEvents[N]): () => void;

  /**
   * Queues a message: durable within moments, sent when there is a connection, again and again until the server
   * has stored it once. Never blocks. A direct conversation is created by its first message. Throws
   * `ProtocolError` where the arguments are wrong or the client has not been started.
   */
  send(
    conversation: string,
    body: string | Uint8Array,
    options?: { messageType?: string | undefined },
  ): LocalMessage;
  /** Resolves when the server has stored the message, rejects with `ProtocolError` when it refused it. Only for messages sent by this object. */
  stored(message: LocalMessage): Promise<Message>;
  /** Sends a failed message again, as a new one at the end. */
  retry(message: FailedMessage): LocalMessage | undefined;
  /** Forgets a failed message. */
  discard(message: FailedMessage): void;

  /** All conversations, the most recently active first. */
  readonly conversations: View<readonly Conversation[]>;
  conversation(conversation: string): Conversation | undefined;
  messages(conversation: string): MessagesView;
  /** Sets the read position (never back), by default to everything that has arrived. Kept and sent later when offline. */
  markRead(conversation: string, seq?: number): void;

  members(conversation: string): RefreshableView<MembersSnapshot>;
  receipts(conversation: string): RefreshableView<ReceiptsSnapshot>;

  /** Resolves to the id of the new group. */
  createGroup(group: NewGroup): Promise<string>;
  addMembers(conversation: string, users: readonly string[]): Promise<void>;
  removeMember(conversation: string, user: string): Promise<void>;
  setRole(conversation: string, user: string, role: "owner" | "admin" | "member"): Promise<void>;
  rename(conversation: string, name: string): Promise<void>;
  join(conversation: string): Promise<void>;
  leave(conversation: string): Promise<void>;

  /** Looks users up; unknown ones are missing in the answer. */
  users(users: readonly string[]): Promise<readonly User[]>;
  /** The users of the domain, where the server shows them. */
  directory(after?: string): Promise<Page<User>>;
  /** One user's name, fetched once and kept. The snapshot has no name until it is known. */
  profile(user: string): View<User>;
  /**
   * Whether a user is online, on whichever device. Undefined while nobody knows: without a connection, or where the
   * server does not say it. Followed while the view has listeners; of more than 200 users, of those looked at last.
   */
  online(user: string): View<boolean | undefined>;
  /** The id of the one-to-one conversation with `peer`. Throws before the own user is known. */
  directConversationId(peer: string): string;
}
