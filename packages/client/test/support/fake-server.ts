import {
  type Command,
  directConversationUsers,
  type ErrorName,
  errors,
  type Frame,
  type FrameNamed,
  type Push,
} from "@hongyan/protocol";

interface Entry {
  readonly seq: number;
  readonly from: string;
  readonly time: number;
  readonly clientMessageId: string;
  readonly messageType: string | undefined;
  readonly body: Uint8Array;
}

interface Log {
  readonly entries: Entry[];
  readonly members: Set<string>;
  readonly read: Map<string, number>;
  /** By user, then device. */
  readonly delivered: Map<string, Map<string, number>>;
}

/** One connection, seen from the server. */
export interface Peer {
  user: string;
  device: string;
  session: string;
  receipts: number;
  isConnected: boolean;
  write(frame: Frame): void;
}

const none = new Uint8Array(0);

/**
 * A small honest server for tests: it does what the protocol says, without disk, timers or limits, and can be
 * told to refuse. Not the product's server.
 */
export class FakeServer {
  epoch = "epoch-1";
  readonly logs = new Map<string, Log>();
  readonly peers = new Set<Peer>();
  readonly commands: Command[] = [];
  /** Answers instead of the server where it returns something. */
  refuse:
    | ((command: Command, peer: Peer) => { code: ErrorName; retryAfterMs?: number } | undefined)
    | undefined;
  /** Tokens that are accepted, and whose they are. Any other is expired. */
  readonly tokens = new Map<string, string>();
  /** Sends pushes while it is true. */
  isPushing = true;
  #sessions = 0;
  /** Of the next entry; it counts up by itself, and may be set to what the clock of a device says. */
  time = 1_000;

  log(conversation: string, members?: readonly string[]): Log {
    let log = this.logs.get(conversation);
    if (log === undefined) {
      const users = members ?? directConversationUsers(conversation) ?? [];
      log = { entries: [], members: new Set(users), read: new Map(), delivered: new Map() };
      this.logs.set(conversation, log);
    }
    return log;
  }

  /** Stores an entry as if somebody else had sent it. */
  append(conversation: string, from: string, text: string, messageType?: string): number {
    return this.#append(this.log(conversation), conversation, {
      from,
      clientMessageId: messageType?.startsWith("hongyan.") === true ? "" : `other:${this.time}`,
      messageType,
      body: new TextEncoder().encode(text),
    });
  }

  texts(conversation: string): string[] {
    return this.log(conversation).entries.map(({ body }) => new TextDecoder().decode(body));
  }

  deliveredOf(conversation: string, user: string): number {
    return Math.max(0, ...(this.log(conversation).delivered.get(user)?.values() ?? []));
  }

  push(user: string, frame: Push): void {
    for (const peer of this.peers) if (peer.user === user) peer.write(frame);
  }

  receive(peer: Peer, command: Command): void {
    this.commands.push(command);
    const refusal = this.refuse?.(command, peer);
    if (refusal !== undefined) {
      const { code, retryAfterMs } = refusal;
      return peer.write({
        type: "error",
        id: command.id,
        code: errors[code].code,
        name: code,
        message: code,
        retryAfterMs,
      });
    }
    if (!peer.isConnected && command.type !== "connect") return;
    this.#handle(peer, command);
  }

  #handle(peer: Peer, command: Command): void {
    const { id } = command;
    switch (command.type) {
      case "connect":
        return this.#connect(peer, command);
      case "ping":
        return peer.write({ type: "ping.ok", id, time: this.time, receipts: peer.receipts });
      case "send":
        return this.#send(peer, command);
      case "ack":
        this.#advance(peer, command.positions);
        return peer.write({ type: "ack.ok", id });
      case "read":
        for (const [conversation, seq] of command.positions) {
          const { read } = this.log(conversation);
          read.set(peer.user, Math.max(read.get(peer.user) ?? 0, seq));
          this.#receipt(conversation, peer.user);
        }
        return peer.write({ type: "read.ok", id });
      case "sync":
        return this.#sync(peer, command);
      case "history":
        return this.#history(peer, command);
      case "list":
        return this.#list(peer, command);
      case "receipts": {
        let count = 0;
        const log = this.log(command.conversation);
        for (const user of log.members) {
          const delivered = this.deliveredOf(command.conversation, user);
          const read = log.read.get(user) ?? 0;
          peer.write({ type: "receipt", id, conversation: command.conversation, user, delivered, read });
          count++;
        }
        return peer.write({ type: "receipts.ok", id, count });
      }
      case "create": {
        const conversation = command.conversation ?? "made-by-server";
        this.log(conversation, [peer.user, ...(command.members ?? [])]);
        this.append(conversation, peer.user, "{}", "hongyan.created");
        return peer.write({ type: "create.ok", id, conversation, created: true });
      }
      case "members": {
        const log = this.log(command.conversation);
        for (const user of log.members)
          peer.write({
            type: "member",
            id,
            conversation: command.conversation,
            user,
            role: "member",
            since: 1,
          });
        return peer.write({ type: "members.ok", id, count: log.members.size });
      }
      case "users":
        for (const user of command.users ?? [])
          peer.write({ type: "user", id, user, name: user.toUpperCase() });
        return peer.write({ type: "users.ok", id, count: command.users?.length ?? 0 });
      case "presence": {
        const here = new Set(Array.from(this.peers, ({ user }) => user));
        const online = command.users.filter((user) => here.has(user));
        for (const user of online) peer.write({ type: "online", id, user, online: true });
        return peer.write({ type: "presence.ok", id, count: online.length });
      }
      case "disconnect":
        return peer.write({ type: "disconnect.ok", id });
      default:
        return peer.write({
          type: "error",
          id,
          code: errors.unknown_command.code,
          name: "unknown_command",
          message: "not here",
        });
    }
  }

  #connect(peer: Peer, { id, token, device, resume }: FrameNamed<"connect">): void {
    const user = this.tokens.get(token);
    if (user === undefined) {
      const { code } = errors.token_expired;
      return peer.write({ type: "error", id, code, name: "token_expired", message: "token_expired" });
    }
    const resumed = resume !== undefined && resume === this.#resumable.get(`${user}/${device}`);
    Object.assign(peer, { user, device, isConnected: true });
    peer.session = resumed ? resume : `session-${++this.#sessions}`;
    this.#resumable.set(`${user}/${device}`, peer.session);
    this.peers.add(peer);
    peer.write({
      type: "connect.ok",
      id,
      session: peer.session,
      node: "n1",
      epoch: this.epoch,
      domain: "test",
      user,
      resumed,
      behind: !resumed || this.isBehind,
      heartbeatMs: 30_000,
      time: this.time,
      bodyBytesMax: 65_536,
    });
  }

  /** What a resumed session is told. */
  isBehind = false;
  readonly #resumable = new Map<string, string>();

  #send(peer: Peer, command: FrameNamed<"send">): void {
    const log = this.log(command.conversation);
    const { id, clientMessageId, after, messageType, body = none } = command;
    const known = log.entries.find(
      (entry) => entry.from === peer.user && entry.clientMessageId === clientMessageId,
    );
    if (known !== undefined) {
      if (Buffer.compare(known.body, body) !== 0)
        return peer.write({
          type: "error",
          id,
          code: errors.conflict.code,
          name: "conflict",
          message: "conflict",
        });
      return peer.write({ type: "send.ok", id, seq: known.seq, time: known.time, duplicate: true });
    }
    if (
      after !== undefined &&
      !log.entries.some((entry) => entry.from === peer.user && entry.clientMessageId === after)
    ) {
      const { code } = errors.out_of_order;
      return peer.write({ type: "error", id, code, name: "out_of_order", message: "out_of_order" });
    }
    const entry = { from: peer.user, clientMessageId, messageType, body: new Uint8Array(body) };
    const seq = this.#append(log, command.conversation, entry, peer);
    peer.write({ type: "send.ok", id, seq, time: log.entries[seq - 1]?.time ?? 0 });
  }

  #append(log: Log, conversation: string, entry: Omit<Entry, "seq" | "time">, sender?: Peer): number {
    const stored = { ...entry, seq: log.entries.length + 1, time: this.time++ };
    log.entries.push(stored);
    if (this.isPushing)
      for (const peer of this.peers)
        if (peer !== sender && log.members.has(peer.user))
          peer.write({ type: "message", id: 0, conversation, ...stored });
    return stored.seq;
  }

  #advance(peer: Peer, positions: Iterable<readonly [string, number]>): void {
    for (const [conversation, seq] of positions) {
      const log = this.log(conversation);
      const devices = log.delivered.get(peer.user) ?? new Map<string, number>();
      log.delivered.set(peer.user, devices);
      devices.set(peer.device, Math.max(devices.get(peer.device) ?? 0, Math.min(seq, log.entries.length)));
      this.#receipt(conversation, peer.user);
    }
  }

  #receipt(conversation: string, user: string): void {
    const delivered = this.deliveredOf(conversation, user);
    const read = this.log(conversation).read.get(user) ?? 0;
    for (const peer of this.peers) {
      if (peer.user === user || !this.log(conversation).members.has(peer.user)) continue;
      peer.receipts++;
      peer.write({ type: "receipt", id: 0, conversation, user, delivered, read, ordinal: peer.receipts });
    }
  }

  #position(log: Log, peer: Peer): number {
    return log.delivered.get(peer.user)?.get(peer.device) ?? log.read.get(peer.user) ?? 0;
  }

  #sync(peer: Peer, { id, positions, limit = 500 }: FrameNamed<"sync">): void {
    this.#advance(peer, positions ?? []);
    let count = 0;
    for (const [conversation, log] of this.logs) {
      if (!log.members.has(peer.user)) continue;
      for (const entry of log.entries.slice(this.#position(log, peer))) {
        if (count >= limit) return peer.write({ type: "sync.ok", id, count, more: true });
        peer.write({ type: "message", id, conversation, ...entry });
        count++;
      }
    }
    peer.write({ type: "sync.ok", id, count, more: false });
  }

  #history(peer: Peer, { id, conversation, before, after, limit = 50 }: FrameNamed<"history">): void {
    const { entries } = this.log(conversation);
    const page =
      after === undefined
        ? entries.filter(({ seq }) => seq < (before ?? entries.length + 1)).reverse()
        : entries.filter(({ seq }) => seq > after);
    for (const entry of page.slice(0, limit)) peer.write({ type: "message", id, conversation, ...entry });
    peer.write({ type: "history.ok", id, count: Math.min(limit, page.length), more: page.length > limit });
  }

  #list(peer: Peer, { id, conversations }: FrameNamed<"list">): void {
    let count = 0;
    for (const [conversation, log] of this.logs) {
      if (!log.members.has(peer.user) || conversations?.includes(conversation) === false) continue;
      if (log.entries.length === 0) continue;
      const talk = log.entries.filter(({ messageType }) => messageType?.startsWith("hongyan.") !== true);
      const last = talk.at(-1);
      const read = log.read.get(peer.user) ?? 0;
      const users = directConversationUsers(conversation);
      const other = users?.find((user) => user !== peer.user);
      peer.write({
        type: "conversation",
        id,
        conversation,
        kind: users === undefined ? "group" : "direct",
        role: "member",
        members: log.members.size,
        first: 1,
        head: log.entries.length,
        read,
        position: this.#position(log, peer),
        delivered: other === undefined ? 0 : this.deliveredOf(conversation, other),
        seen: other === undefined ? 0 : (log.read.get(other) ?? 0),
        unread: talk.filter(({ seq, from }) => seq > read && from !== peer.user).length,
        lastFrom: last?.from,
        lastTime: last?.time,
        body: last?.body,
      });
      count++;
    }
    peer.write({ type: "list.ok", id, count, receipts: peer.receipts });
  }
}
