/**
 * What a backend may ask of the core, for one domain: the HTTP API and embedders speak this. Refusals are
 * rejected promises with a `ProtocolError`.
 */

export type Role = "owner" | "admin" | "member";
export type ConversationKind = "direct" | "group";

export interface User {
  readonly user: string;
  readonly name: string | undefined;
}

export interface Conversation {
  readonly conversation: string;
  readonly kind: ConversationKind;
  readonly name: string | undefined;
  /** Whether any user of the domain may join by themselves. */
  readonly open: boolean;
  readonly createdAt: number;
  readonly members: number;
  readonly head: number;
}

export interface Member {
  readonly user: string;
  readonly role: Role;
  /** The seq at which the member joined: the first that is delivered to it. */
  readonly since: number;
  /** Highest seq that any device of the user has acknowledged, and that the user has read. */
  readonly delivered: number;
  readonly read: number;
}

export interface Message {
  readonly conversation: string;
  readonly seq: number;
  readonly from: string;
  readonly time: number;
  readonly clientMessageId: string;
  readonly messageType: string | undefined;
  readonly body: Uint8Array;
}

export interface NewConversation {
  /** Chosen by the backend, so that creating it again is harmless; otherwise made by the server. */
  readonly conversation?: string | undefined;
  readonly name?: string | undefined;
  readonly open?: boolean | undefined;
  readonly members: readonly { readonly user: string; readonly role: Role }[];
}

export interface NewMessage {
  readonly conversation: string;
  /** The sender; need not be a member, need not have a device. */
  readonly from: string;
  readonly clientMessageId: string;
  readonly messageType?: string | undefined;
  readonly body: Uint8Array;
}

export interface Stored {
  readonly seq: number;
  readonly time: number;
  readonly duplicate: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass as `after` for the next page; undefined on the last. */
  readonly next: string | undefined;
}

export interface UserConversation {
  readonly conversation: string;
  readonly head: number;
  readonly read: number;
  readonly unread: number;
}

export interface Backend {
  putUser(user: User): Promise<void>;
  user(user: string): Promise<User>;
  users(after: string, limit: number): Promise<Page<User>>;
  /** Forgets the user's profile and ends their sessions; their messages and memberships stay. */
  removeUser(user: string): Promise<void>;
  /** Ends the sessions of a user, or of one device of theirs, with close code `kicked`. */
  kick(user: string, device?: string): Promise<void>;

  /** Those of the users who have a session, on whichever node. Takes up to 0.4 s where there are other nodes. */
  online(users: readonly string[]): Promise<readonly string[]>;

  createConversation(conversation: NewConversation): Promise<{ conversation: string; created: boolean }>;
  conversation(conversation: string): Promise<Conversation>;
  conversations(after: string, limit: number): Promise<Page<Conversation>>;
  updateConversation(conversation: string, change: { name?: string; open?: boolean }): Promise<void>;
  members(conversation: string, after: string, limit: number): Promise<Page<Member>>;
  addMembers(conversation: string, members: readonly { user: string; role: Role }[]): Promise<number>;
  removeMember(conversation: string, user: string): Promise<void>;
  userConversations(user: string, after: string, limit: number): Promise<Page<UserConversation>>;

  send(message: NewMessage): Promise<Stored>;
  /** Ascending by seq: the entries after `after`, or the last ones before `before`. System entries are included. */
  history(
    conversation: string,
    page: { after?: number; before?: number; limit: number },
  ): Promise<readonly Message[]>;
}
