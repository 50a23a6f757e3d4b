/** A client without a server, for looking at the page while it is designed. Never part of what is shipped. */
import type {
  Client,
  ConnectionState,
  Conversation,
  LocalMessage,
  Member,
  MembersSnapshot,
  MessagesSnapshot,
  Receipt,
  ReceiptsSnapshot,
  ShownMessage,
  User,
} from "@hongyan/client";
import { Subject } from "./subject.ts";

export interface FakeChat {
  readonly conversation: Conversation;
  readonly messages: readonly ShownMessage[];
  readonly members?: readonly Member[];
  readonly receipts?: readonly Receipt[];
}

export interface FakeData {
  readonly user: string;
  readonly users: readonly User[];
  readonly online: readonly string[];
  readonly chats: readonly FakeChat[];
  readonly state: ConnectionState;
}

const pageMessages = 60;
const windowMax = 240;

export function fakeClient(data: FakeData): Client {
  const names = new Map(data.users.map((user) => [user.user, user]));
  const conversations = new Subject<readonly Conversation[]>(data.chats.map((chat) => chat.conversation));
  const connection = new Subject<ConnectionState>(data.state);
  const logs = new Map(data.chats.map((chat) => [chat.conversation.conversation, [...chat.messages]]));
  const windows = new Map<string, Window>();
  const profiles = new Map<string, Subject<User>>();
  const online = new Map<string, Subject<boolean | undefined>>();

  interface Window {
    from: number;
    to: number;
    view: Subject<MessagesSnapshot>;
  }

  const log = (conversation: string) => {
    const found = logs.get(conversation) ?? [];
    logs.set(conversation, found);
    return found;
  };
  const show = (conversation: string, window: Window, loading = false) => {
    const all = log(conversation);
    window.view.set({
      conversation,
      messages: all.slice(window.from, window.to),
      atStart: window.from === 0,
      atEnd: window.to >= all.length,
      loading,
    });
  };
  const windowOf = (conversation: string): Window => {
    const found = windows.get(conversation);
    if (found !== undefined) return found;
    const all = log(conversation);
    const window: Window = {
      from: Math.max(0, all.length - pageMessages),
      to: all.length,
      view: new Subject<MessagesSnapshot>({
        conversation,
        messages: [],
        atStart: false,
        atEnd: true,
        loading: true,
      }),
    };
    windows.set(conversation, window);
    show(conversation, window);
    return window;
  };
  const change = (conversation: string, fields: Partial<Conversation>) => {
    conversations.set(
      conversations.snapshot.map((one) => (one.conversation === conversation ? { ...one, ...fields } : one)),
    );
  };
  const replace = (conversation: string, key: string, fields: Partial<ShownMessage>) => {
    const all = log(conversation);
    const index = all.findIndex((message) => message.key === key);
    const message = all[index];
    if (message === undefined) return;
    all[index] = { ...message, ...fields };
    show(conversation, windowOf(conversation));
  };
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const append = (message: ShownMessage) => {
    const window = windowOf(message.conversation);
    const atEnd = window.to >= log(message.conversation).length;
    log(message.conversation).push(message);
    if (atEnd) window.to++;
    show(message.conversation, window);
    change(message.conversation, {
      activityAt: message.time,
      head: message.seq,
      last: {
        from: message.from,
        time: message.time,
        messageType: undefined,
        text: message.text,
        status: message.status,
      },
      unread:
        (conversations.snapshot.find((one) => one.conversation === message.conversation)?.unread ?? 0) +
        (message.own ? 0 : 1),
    });
  };

  return {
    start: async () => connection.set({ status: "live", transport: "fake", session: "s" }),
    stop: async () => undefined,
    user: data.user,
    device: "fake",
    leader: true,
    get state() {
      return connection.snapshot;
    },
    connection,
    on: () => () => undefined,
    send(conversation, body) {
      const text = String(body);
      const all = log(conversation);
      const key = `own-${all.length}`;
      const bytes = new TextEncoder().encode(text);
      const time = Date.now();
      append({
        key,
        conversation,
        seq: 0,
        from: data.user,
        time,
        clientMessageId: key,
        messageType: undefined,
        body: bytes,
        text,
        own: true,
        system: false,
        status: "queued",
        failure: undefined,
      });
      const seq = all.length;
      void (async () => {
        if (connection.snapshot.status !== "live") return;
        await wait(300);
        replace(conversation, key, { status: "stored", seq });
        await wait(500);
        replace(conversation, key, { status: "delivered" });
        await wait(900);
        replace(conversation, key, { status: "read" });
        const peer = conversations.snapshot.find((one) => one.conversation === conversation)?.peer;
        if (peer === undefined) return;
        const answer = `${text.split("").reverse().join("")}?`;
        append({
          key: `answer-${seq}`,
          conversation,
          seq: seq + 1,
          from: peer,
          time: Date.now(),
          clientMessageId: "x",
          messageType: undefined,
          body: new Uint8Array(),
          text: answer,
          own: false,
          system: false,
          status: "received",
          failure: undefined,
        });
      })();
      const local: LocalMessage = {
        conversation,
        clientMessageId: key,
        messageType: undefined,
        body: bytes,
        time,
        status: "queued",
        seq: 0,
        failure: undefined,
      };
      return local;
    },
    stored: () => Promise.reject(new Error("not here")),
    retry({ clientMessageId }) {
      for (const conversation of logs.keys())
        replace(conversation, clientMessageId, { status: "queued", failure: undefined });
      return undefined;
    },
    discard({ clientMessageId }) {
      for (const [conversation, all] of logs) {
        logs.set(
          conversation,
          all.filter((message) => message.clientMessageId !== clientMessageId),
        );
        show(conversation, windowOf(conversation));
      }
    },
    conversations,
    conversation: (id) => conversations.snapshot.find((one) => one.conversation === id),
    messages(conversation) {
      const window = windowOf(conversation);
      return {
        get snapshot() {
          return window.view.snapshot;
        },
        subscribe: window.view.subscribe,
        async loadOlder() {
          show(conversation, window, true);
          await wait(250);
          window.from = Math.max(0, window.from - pageMessages);
          window.to = Math.min(window.to, window.from + windowMax);
          show(conversation, window);
        },
        async loadNewer() {
          await wait(250);
          window.to = Math.min(log(conversation).length, window.to + pageMessages);
          window.from = Math.max(window.from, window.to - windowMax);
          show(conversation, window);
        },
        async toLatest() {
          window.to = log(conversation).length;
          window.from = Math.max(0, window.to - pageMessages);
          show(conversation, window);
        },
      };
    },
    markRead(conversation, seq) {
      const all = log(conversation);
      const read = seq ?? all.length;
      const unread = all.filter((message) => message.seq > read && !message.own && !message.system).length;
      change(conversation, { read, unread });
    },
    members(conversation) {
      const members =
        data.chats.find((chat) => chat.conversation.conversation === conversation)?.members ?? [];
      return cached(`members ${conversation}`, () =>
        Object.assign(new Subject<MembersSnapshot>({ conversation, members, loaded: true }), {
          refresh: async () => undefined,
        }),
      );
    },
    receipts(conversation) {
      const receipts =
        data.chats.find((chat) => chat.conversation.conversation === conversation)?.receipts ?? [];
      return cached(`receipts ${conversation}`, () =>
        Object.assign(new Subject<ReceiptsSnapshot>({ conversation, receipts, loaded: true }), {
          refresh: async () => undefined,
        }),
      );
    },
    createGroup: async () => Promise.reject(Object.assign(new Error("no"), { code: "forbidden" })),
    addMembers: async () => undefined,
    removeMember: async () => undefined,
    setRole: async () => undefined,
    rename: async (conversation, name) => change(conversation, { name }),
    join: async () => undefined,
    leave: async (conversation) => change(conversation, { role: "none" }),
    users: async (ids) => ids.flatMap((id) => names.get(id) ?? []),
    directory: async () => ({ items: data.users, next: undefined }),
    profile(user) {
      const found = profiles.get(user) ?? new Subject<User>(names.get(user) ?? { user, name: undefined });
      profiles.set(user, found);
      return found;
    },
    online(user) {
      const found = online.get(user) ?? new Subject<boolean | undefined>(data.online.includes(user));
      online.set(user, found);
      return found;
    },
    directConversationId: (peer) => (peer < data.user ? `${peer}:${data.user}` : `${data.user}:${peer}`),
  };
}

const cache = new Map<string, unknown>();
function cached<T>(key: string, make: () => T): T {
  const found = cache.get(key) ?? make();
  cache.set(key, found);
  return found as T;
}
