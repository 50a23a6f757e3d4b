/**
 * The whole outside world of the client, on one page. The engine and the model have no other clock, randomness,
 * network or disk: `createClient` gives them the real ones, the simulator seeded ones.
 */
import type { LocalMessage, Message } from "./api.ts";

// ── Time and chance ────────────────────────────────────────────────────────────────────────────────────────────

export interface Clock {
  /** Milliseconds since 1970. May jump; only durations and what is shown depend on it. */
  now(): number;
  /** Runs `work` once after `ms`; the returned function takes it back. */
  setTimer(ms: number, work: () => void): () => void;
}

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A fresh id: 22 characters of `[A-Za-z0-9_-]`, 128 bits. */
  id(): string;
}

/**
 * `online`: the network is back. `offline`: it is gone, or one of several is. `wake`: the page or machine slept.
 * All mean: look now.
 */
/** `leave`: the page goes away, perhaps for good; one that comes back says `wake`. */
export type NetworkHint = "online" | "offline" | "wake" | "leave";

/** What the device knows about its network. A hint: the client works without it. */
export interface NetworkHints {
  /** Returns the way out. */
  watch(hint: (kind: NetworkHint) => void): () => void;
}

// ── Transports ─────────────────────────────────────────────────────────────────────────────────────────────────

/** One frame: bytes (binary mode) or a JSON object as text (text mode). */
export type EncodedFrame = Uint8Array | string;

/** A way to the server. */
export interface Transport {
  readonly name: string;
  /** Which form of frames it carries. */
  readonly mode: "binary" | "text";
  /** Starts to connect. Must not call `events` before it has returned. */
  open(events: TransportEvents): TransportConnection;
}

/** What a transport tells. After `closed` it says nothing more; after `TransportConnection.close` neither. */
export interface TransportEvents {
  /** Frames can be sent. At most once, before `received`. */
  opened(): void;
  /** Binary mode: the next bytes of the stream, cut anywhere. Text mode: exactly one JSON object. */
  received(data: Uint8Array | string): void;
  /** The end, also of an attempt that never opened. `code`: the close code where the transport carries one. */
  closed(cause: { readonly code?: number | undefined; readonly reason: string }): void;
}

export interface TransportConnection {
  /** Takes frames in order. Never throws, never blocks. The bytes must not change afterwards. */
  send(frames: readonly EncodedFrame[]): void;
  /** Ends it after what was sent, without waiting. */
  close(): void;
}

// ── Storage ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Who this installation is. */
export interface Installation {
  readonly device: string;
  /** First half of its numbered client message ids. */
  readonly prefix: string;
  /** Known after the first connection. */
  readonly domain: string | undefined;
  readonly user: string | undefined;
  /** The server's data that positions and messages belong to. */
  readonly epoch: string | undefined;
}

/** What is known of a conversation. Immutable; replaced as a whole. */
export interface ConversationRecord {
  readonly conversation: string;
  readonly kind: "direct" | "group";
  readonly name: string | undefined;
  readonly open: boolean;
  readonly role: "owner" | "admin" | "member" | "none";
  readonly members: number;
  readonly first: number;
  readonly head: number;
  readonly read: number;
  readonly unread: number;
  /** `unread` covers what is ≤ this. */
  readonly counted: number;
  /** This device has handed 1..position to the application; undefined until the server has said where it begins. */
  readonly position: number | undefined;
  /** Of the peer of a direct conversation. */
  readonly delivered: number;
  readonly seen: number;
  readonly last: LastRecord | undefined;
  readonly activityAt: number;
}

export interface LastRecord {
  readonly seq: number;
  readonly from: string;
  readonly time: number;
  readonly messageType: string | undefined;
  readonly text: string | undefined;
}

/** What changes together: all of it or nothing, and in the order in which `commit` was called. */
export interface StorageChange {
  /** False where losing it in a crash costs only a question to the server. Default true: on disk when `commit` resolves. */
  readonly durable?: boolean | undefined;
  /** Forgets conversations, messages and chains first: the server has other data. Installation, outbox and numbers stay. */
  readonly reset?: boolean | undefined;
  readonly installation?: Installation | undefined;
  readonly conversations?: readonly ConversationRecord[] | undefined;
  /** Entries of logs, for the message cache. */
  readonly messages?: readonly Message[] | undefined;
  /** Adds at the end of the outbox, or replaces in place. */
  readonly outbox?: readonly LocalMessage[] | undefined;
  /** Own messages that are stored: they leave the outbox. */
  readonly stored?: readonly LocalMessage[] | undefined;
  /** Own messages that leave the outbox for other reasons. */
  readonly discarded?: readonly LocalMessage[] | undefined;
  /** The next number for a client message id, by conversation. */
  readonly numbers?: readonly (readonly [conversation: string, next: number])[] | undefined;
  /** The last client message id that was stored, by conversation. */
  readonly chains?: readonly (readonly [conversation: string, clientMessageId: string])[] | undefined;
}

/** Everything but the message cache. */
export interface StoredState {
  readonly installation: Installation | undefined;
  readonly conversations: readonly ConversationRecord[];
  /** In the order in which they were added. */
  readonly outbox: readonly LocalMessage[];
  readonly numbers: readonly (readonly [conversation: string, next: number])[];
  readonly chains: readonly (readonly [conversation: string, clientMessageId: string])[];
}

/** `before`: descending from below it; `after`: ascending from above it. */
export type MessageRange = { readonly before: number } | { readonly after: number };

/**
 * What survives the end of the program. A crash between any two calls leaves what was committed. A rejected
 * `commit` wrote all or nothing; the same change may be committed again.
 */
export interface Storage {
  /** Opens it, where that is needed, and reads everything small. Called again to see what other tabs wrote. */
  load(): Promise<StoredState>;
  commit(change: StorageChange): Promise<void>;
  /** Messages in the cache, at most `count`. The cache may have forgotten any; what it returns is as it was stored. */
  messages(conversation: string, range: MessageRange, count: number): Promise<readonly Message[]>;
  close(): Promise<void>;
}

// ── Tabs ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Several tabs of one browser as one device: who holds the lock owns the connection. */
export interface TabPorts {
  /** Calls `held` when this tab holds the lock; the returned function gives it back, or ends the waiting. */
  lock(held: () => void): () => void;
  /** Messages to all other tabs of the same account, in order. They are copied structurally. */
  channel(receive: (message: unknown) => void): TabChannel;
}

export interface TabChannel {
  post(message: unknown): void;
  close(): void;
}

/** Everything a client runs on. */
export interface ClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  /** In order of preference; the later ones are for when the earlier ones cannot be opened. */
  readonly transports: readonly Transport[];
  readonly hints?: NetworkHints | undefined;
  readonly tabs?: TabPorts | undefined;
}
