import { directConversationId, type FrameNamed, isId, ProtocolError } from "@hongyan/protocol";
import type { Actions } from "./actions.ts";
import type {
  Client,
  ClientEventName,
  ClientEvents,
  ClientOptions,
  ConnectionState,
  Conversation,
  FailedMessage,
  LocalMessage,
  MembersSnapshot,
  Message,
  MessagesView,
  NewGroup,
  Page,
  ReceiptsSnapshot,
  RefreshableView,
  User,
  View,
} from "./api.ts";
import type { Answer, Request } from "./engine/requests.ts";
import { Model } from "./model/model.ts";
import type { Numbering } from "./numbering.ts";
import { outgoing } from "./outgoing.ts";
import type { ClientPorts } from "./ports.ts";
import { Seat } from "./seat.ts";
import { settingsDefault } from "./settings.ts";

/** What `createClientOn` needs besides ports. */
export type CoreOptions = Pick<ClientOptions, "token" | "device" | "platform" | "codec" | "settings">;

/** The public face: checks arguments, and passes on to the model (what is shown) and the seat (what is done). */
export class HongyanClient implements Client {
  readonly #ports: ClientPorts;
  readonly #model: Model;
  readonly #seat: Seat;
  #starting: Promise<void> | undefined;

  constructor(ports: ClientPorts, options: CoreOptions) {
    const settings = { ...settingsDefault, ...options.settings };
    const { token, device, platform, codec = "messagepack" } = options;
    if (device !== undefined && !isId(device)) throw new ProtocolError("bad_request", "not a device id");
    this.#ports = ports;
    const { clock, storage } = ports;
    this.#model = new Model({ clock, storage, settings, call: (request) => this.#call(request) });
    this.#seat = new Seat(ports, { token, device, platform, codec, settings }, this.#model);
  }

  start(): Promise<void> {
    if (this.#starting !== undefined) {
      this.#seat.actions?.restart();
      return this.#starting;
    }
    this.#starting = this.#seat.take().catch((error: unknown) => {
      this.#starting = undefined;
      const message = error instanceof Error ? error.message : String(error);
      this.#model.update({ kind: "state", state: { status: "stopped", reason: "storage", message } }, false);
      throw error;
    });
    return this.#starting;
  }

  async stop(): Promise<void> {
    const starting = this.#starting;
    this.#starting = undefined;
    await starting?.catch(() => undefined);
    if (starting !== undefined) await this.#seat.leave();
  }

  get user(): string | undefined {
    return this.#model.user;
  }

  get device(): string | undefined {
    return this.#model.device;
  }

  get leader(): boolean {
    return this.#seat.isLeading;
  }

  get state(): ConnectionState {
    return this.#model.connection.snapshot;
  }

  get connection(): View<ConnectionState> {
    return this.#model.connection;
  }

  get conversations(): View<readonly Conversation[]> {
    return this.#model.conversations.view;
  }

  on<N extends ClientEventName>(name: N, handler: ClientEvents[N]): () => void {
    return this.#model.events.on(name, handler);
  }

  send(
    conversation: string,
    body: string | Uint8Array,
    options: { messageType?: string | undefined } = {},
  ): LocalMessage {
    const content = outgoing(conversation, body, options.messageType);
    const { actions, numbering } = this.#ready();
    const { clientMessageId, next } = numbering.take(conversation);
    const time = this.#ports.clock.now();
    const message: LocalMessage = {
      ...content,
      clientMessageId,
      time,
      status: "queued",
      seq: 0,
      failure: undefined,
    };
    this.#model.queued(message);
    actions.submit(message, next);
    return message;
  }

  stored(message: LocalMessage): Promise<Message> {
    return this.#model.outcome(message);
  }

  retry(message: FailedMessage): LocalMessage | undefined {
    const failed = this.#model.local(message);
    if (failed?.status !== "failed") return undefined;
    const { conversation, body, messageType } = failed;
    const again = this.send(conversation, body, { messageType });
    this.discard(failed);
    return again;
  }

  discard(message: FailedMessage): void {
    const failed = this.#model.local(message);
    if (failed?.status !== "failed") return;
    this.#model.update({ kind: "change", change: { discarded: [failed] } }, false);
    this.#ready().actions.discard(failed);
  }

  conversation(conversation: string): Conversation | undefined {
    return this.#model.conversations.get(conversation);
  }

  messages(conversation: string): MessagesView {
    return this.#model.window(conversation);
  }

  markRead(conversation: string, seq?: number): void {
    const record = this.#model.conversations.record(conversation);
    if (record === undefined) return;
    const upTo = Math.min(seq ?? record.position ?? 0, record.head);
    if (upTo <= record.read) return;
    this.#ready().actions.markRead(conversation, upTo, this.#model.unreadAfter(conversation, upTo));
  }

  members(conversation: string): RefreshableView<MembersSnapshot> {
    return this.#model.members(conversation);
  }

  receipts(conversation: string): RefreshableView<ReceiptsSnapshot> {
    return this.#model.receipts(conversation);
  }

  async createGroup({
    name,
    members = [],
    open,
    conversation = `g-${this.#ports.random.id()}`,
  }: NewGroup): Promise<string> {
    // The id is made here, so that asking twice makes one group.
    await this.#call({ type: "create", conversation, name, members, open });
    return conversation;
  }

  async addMembers(conversation: string, users: readonly string[]): Promise<void> {
    await this.#call({ type: "add", conversation, users });
  }

  async removeMember(conversation: string, user: string): Promise<void> {
    await this.#call({ type: "remove", conversation, users: [user] });
  }

  async setRole(conversation: string, user: string, role: "owner" | "admin" | "member"): Promise<void> {
    await this.#call({ type: "role", conversation, user, role });
  }

  async rename(conversation: string, name: string): Promise<void> {
    await this.#call({ type: "update", conversation, name });
  }

  async join(conversation: string): Promise<void> {
    await this.#call({ type: "join", conversation });
  }

  async leave(conversation: string): Promise<void> {
    await this.#call({ type: "leave", conversation });
  }

  users(users: readonly string[]): Promise<readonly User[]> {
    return this.#model.profiles.users(users);
  }

  async directory(after?: string): Promise<Page<User>> {
    const { reply, items } = await this.#call({ type: "users", after });
    const users: User[] = [];
    for (const item of items) {
      if (item.type !== "user") continue;
      users.push({ user: item.user, name: item.name });
      this.#model.profiles.named(item.user, item.name);
    }
    return { items: users, next: (reply as FrameNamed<"users.ok">).next };
  }

  profile(user: string): View<User> {
    return this.#model.profiles.profile(user);
  }

  online(user: string): View<boolean | undefined> {
    return this.#model.presence.online(user);
  }

  directConversationId(peer: string): string {
    const { user } = this;
    if (user === undefined)
      throw new ProtocolError("unavailable", "the own user is not known before the first connection");
    if (!isId(peer)) throw new ProtocolError("bad_request", "not a user id");
    return directConversationId(user, peer);
  }

  #ready(): { actions: Actions; numbering: Numbering } {
    const { actions, numbering } = this.#seat;
    if (actions === undefined || numbering === undefined)
      throw new ProtocolError("unavailable", "the client has not been started, or was stopped");
    return { actions, numbering };
  }

  async #call(request: Request): Promise<Answer> {
    return this.#ready().actions.call(request);
  }
}
