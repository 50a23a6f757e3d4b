import type { FrameNamed, Push } from "@hongyan/protocol";
import type { Actions } from "../actions.ts";
import type { ClientSettings, LocalMessage, Message, StopReason } from "../api.ts";
import type { ClientPorts, ConversationRecord, Installation, StorageChange, StoredState } from "../ports.ts";
import { Calls } from "./calls.ts";
import { Connection } from "./connection.ts";
import { Conversations } from "./conversations.ts";
import { Gaps } from "./gaps.ts";
import { Inbox } from "./inbox.ts";
import { Ledger } from "./ledger.ts";
import { messageOf } from "./message-of.ts";
import { Outbox } from "./outbox.ts";
import { ReceiptCount } from "./receipt-count.ts";
import { ReceiptPositions } from "./receipt-positions.ts";
import { Reporter } from "./reporter.ts";
import type { Answer, Request } from "./requests.ts";
import { Syncing } from "./syncing.ts";
import { TokenSource } from "./token-source.ts";
import { TransportChoice } from "./transport-choice.ts";
import type { Audience } from "./update.ts";
import { Upgrade } from "./upgrade.ts";

/** How long `stop` waits for handlers, and for the storage. */
const stopTimeoutMs = 2_000;

export interface EngineOptions {
  readonly token: string | (() => Promise<string>);
  readonly device: string | undefined;
  readonly platform: string | undefined;
  readonly codec: "messagepack" | "json";
  readonly settings: ClientSettings;
}

/**
 * The part of the client that talks to the server: one per installation, in the tab that leads. It joins the parts
 * and knows the order in which they learn things; each rule is in the part that is named after it. Everything it
 * has done is in the storage; whatever is lost by a crash at any point is found again by cursors and resends.
 */
export class Engine implements Actions {
  readonly #ports: ClientPorts;
  readonly #options: EngineOptions;
  readonly #audience: Audience;
  readonly #ledger: Ledger;
  readonly #connection: Connection;
  readonly #conversations: Conversations;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #gaps: Gaps;
  readonly #acks: Reporter;
  readonly #reads: Reporter;
  readonly #calls: Calls;
  readonly #syncing: Syncing;
  readonly #upgrade: Upgrade;
  readonly #receipts = new ReceiptCount();
  readonly #positions = new ReceiptPositions();
  #installation: Installation | undefined;
  #unwatch: (() => void) | undefined;
  #isStopping = false;

  constructor(ports: ClientPorts, options: EngineOptions, audience: Audience) {
    this.#ports = ports;
    this.#options = options;
    this.#audience = audience;
    const { clock, random } = ports;
    const { settings } = options;
    const failed = (error: unknown): void => this.#failed(error);
    const write = (change: StorageChange, done?: () => void): void => this.#ledger.write(change, done);
    const isConnected = (): boolean => this.#connection.isConnected;
    const choice = new TransportChoice(ports.transports, clock, settings);

    this.#ledger = new Ledger(
      ports.storage,
      clock,
      (change) => audience.update({ kind: "change", change }),
      failed,
    );
    this.#connection = new Connection({
      clock,
      random,
      settings,
      choice,
      failed,
      token: new TokenSource(options.token),
      codec: options.codec,
      device: () => ({ device: this.#installation?.device ?? "", platform: options.platform }),
      changed: (state) => audience.update({ kind: "state", state }),
      accepted: (reply) => this.#accepted(reply),
      pushed: (frame) => this.#pushed(frame),
      lost: () => this.#lost(),
      pong: ({ receipts }) => {
        if (this.#receipts.differs(receipts)) this.#receiptsMissed();
      },
    });
    const { requests } = this.#connection;
    this.#conversations = new Conversations({
      clock,
      requests,
      isConnected,
      write,
      user: () => this.#installation?.user,
      described: (item, record) => this.#described(item, record),
      unlisted: (conversation) => this.#inbox.giveUp(conversation),
    });
    this.#outbox = new Outbox({
      clock,
      random,
      settings,
      requests,
      isConnected,
      write,
      stored: (message) => this.#inbox.accept(this.#asEntry(message)),
    });
    this.#inbox = new Inbox({
      clock,
      settings,
      deliver: (message) => audience.deliver(message),
      commit: (conversation, messages, done) =>
        write({ messages, conversations: [this.#conversations.extend(conversation, messages)] }, done),
      advanced: (conversation, position, count) => this.#acks.note(conversation, position, count),
      repeated: (conversation, position) => this.#acks.again(conversation, position),
      unknown: (conversation) => this.#conversations.refresh(conversation),
      fill: (conversation, after) => this.#gaps.fill(conversation, after),
      failed,
    });
    this.#gaps = new Gaps({
      requests,
      pageMessages: settings.pageMessages,
      filled: (conversation, after, messages) => {
        this.#confirmOwn(messages ?? []);
        this.#inbox.filled(conversation, after, messages);
      },
      gone: (conversation) => this.#inbox.abandon(conversation),
    });
    const around = { clock, requests, isConnected };
    const { ackMessagesMax: changesMax, ackDelayMs: delayMs } = settings;
    this.#acks = new Reporter("ack", around, { changesMax, delayMs });
    this.#reads = new Reporter("read", around, { changesMax, delayMs });
    this.#calls = new Calls(clock, requests, settings.callTimeoutMs, isConnected);
    this.#upgrade = new Upgrade(clock, settings, ports.transports, choice, () =>
      this.#connection.lose("moving to the preferred transport", "now"),
    );
    this.#syncing = new Syncing({
      clock,
      settings,
      connection: this.#connection,
      inbox: this.#inbox,
      ledger: this.#ledger,
      acks: this.#acks,
      described: (item) => this.#conversations.describe(item),
      listed: (conversations, receipts) => {
        this.#conversations.keepOnly(conversations);
        this.#receipts.settle(receipts);
      },
      received: (messages) => this.#confirmOwn(messages),
    });
  }

  /** Takes over what is in the storage. Resolves to who this installation is, once that is on disk. */
  async open(state: StoredState): Promise<Installation> {
    const { random, hints } = this.#ports;
    const { installation } = state;
    const device = this.#options.device ?? installation?.device ?? `d-${random.id()}`;
    this.#conversations.restore(state.conversations);
    for (const { conversation, position } of state.conversations) this.#inbox.restore(conversation, position);
    this.#outbox.restore(state.outbox, state.chains);
    this.#unwatch = hints?.watch((hint) => this.#connection.hinted(hint));
    if (installation !== undefined && installation.device === device) {
      this.#installation = installation;
      return installation;
    }
    const fresh = { prefix: random.id(), domain: undefined, user: undefined, epoch: undefined };
    const made: Installation = { ...fresh, ...installation, device };
    this.#installation = made;
    this.#ledger.write({ installation: made });
    await this.#ledger.settled();
    return made;
  }

  start(): void {
    if (!this.#isStopping) this.#connection.start();
  }

  /** Connects again after the client had stopped by itself. */
  restart(): void {
    this.#connection.start();
  }

  async stop(reason: StopReason = "stopped", message = "the client was stopped"): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#unwatch?.();
    this.#calls.stop();
    // Handlers that are at work come to their end, so that what they have taken is not handed over again. Handlers
    // and storages that do not answer must not keep the program from ending.
    this.#inbox.stopDelivering();
    await this.#inTime(this.#inbox.idle().then(() => this.#ledger.settled()));
    if (this.#connection.isConnected) {
      this.#acks.flush();
      this.#reads.flush();
      this.#connection.disconnect();
    }
    this.#connection.stop(reason, message);
    await this.#inTime(this.#ledger.settled());
    this.#inbox.close();
    this.#ledger.close();
  }

  /** Takes a message of this tab; `next` is the number after its own. */
  submit(message: LocalMessage, next: number): void {
    this.#outbox.add(message, next);
  }

  /** Another tab has written to the outbox. */
  async outboxChanged(): Promise<void> {
    try {
      const { outbox } = await this.#ports.storage.load();
      if (!this.#isStopping) this.#outbox.absorb(outbox);
    } catch (error) {
      this.#failed(error);
    }
  }

  discard(message: LocalMessage): void {
    this.#outbox.discard(message);
  }

  /** The user has read up to `seq`; `unread`: how much is left then, where the caller can count it. */
  markRead(conversation: string, seq: number, unread: number | undefined): void {
    const counted = this.#conversations.get(conversation)?.counted ?? 0;
    // Who saw nothing behind `seq` has not seen what was counted here since: then only the server can tell.
    const rest = unread === 0 && seq < counted ? undefined : unread;
    const read = this.#conversations.read(conversation, seq, rest);
    this.#reads.note(conversation, read);
    const record = this.#conversations.get(conversation);
    if (rest === undefined && record !== undefined && record.unread > 0)
      this.#conversations.refresh(conversation);
  }

  call(request: Request): Promise<Answer> {
    return this.#calls.call(request);
  }

  #accepted(reply: FrameNamed<"connect.ok">): { reason: StopReason; message: string } | undefined {
    const installation = this.#installation;
    if (installation === undefined) return { reason: "storage", message: "the storage was not read" };
    const { user, domain, epoch } = reply;
    const isOther =
      installation.user !== undefined && (installation.user !== user || installation.domain !== domain);
    if (isOther) return { reason: "other_user", message: `these data belong to ${installation.user}` };
    const isNewEpoch = installation.epoch !== undefined && installation.epoch !== epoch;
    if (isNewEpoch) this.#forget();
    if (installation.epoch !== epoch || installation.user === undefined) {
      this.#installation = { ...installation, user, domain, epoch };
      this.#ledger.write({ reset: isNewEpoch, installation: this.#installation });
    }
    if (!reply.resumed) this.#receipts.restart();
    this.#outbox.connected();
    this.#reads.connected();
    this.#conversations.connected();
    this.#calls.connected();
    this.#upgrade.connected(
      this.#connection.state.status === "syncing" ? this.#connection.state.transport : "",
    );
    this.#syncing.connected(reply.resumed && !isNewEpoch, reply.behind);
    if (this.#receipts.isMissing) this.#receiptsMissed();
    return undefined;
  }

  /** The server has other data than these: what came from it is worth nothing. The outbox stays. */
  #forget(): void {
    this.#conversations.forget();
    this.#inbox.forget();
    this.#acks.forget();
    this.#reads.forget();
    this.#positions.forget();
    this.#outbox.forgetChains();
  }

  #lost(): void {
    this.#upgrade.stop();
    this.#outbox.disconnected();
    this.#acks.disconnected();
    this.#reads.disconnected();
    this.#conversations.disconnected();
    this.#gaps.disconnected();
    this.#syncing.disconnected();
  }

  #pushed(frame: Push): void {
    switch (frame.type) {
      case "message": {
        const message = messageOf(frame);
        this.#confirmOwn([message]);
        return this.#inbox.accept(message);
      }
      case "receipt":
        return this.#receipt(frame);
      case "conversation":
        return this.#conversations.describe(frame);
      case "online":
        return this.#audience.update({ kind: "online", user: frame.user, online: frame.online });
      case "behind":
        return this.#syncing.behind();
      default:
        return;
    }
  }

  #receipt({ conversation, user, delivered, read, ordinal }: FrameNamed<"receipt">): void {
    if (user === this.#installation?.user) {
      // This user has read on another device.
      this.#reads.confirm(conversation, read);
      this.markRead(conversation, read, undefined);
    } else {
      this.#conversations.receipt(conversation, delivered, read);
      const receipt = this.#positions.advance({ conversation, user, delivered, read });
      if (receipt !== undefined) this.#audience.update({ kind: "receipt", receipt });
    }
    if (ordinal !== undefined && this.#receipts.received(ordinal)) this.#receiptsMissed();
  }

  #receiptsMissed(): void {
    this.#syncing.listAgain();
    this.#audience.update({ kind: "receiptsMissed" });
  }

  #described(item: FrameNamed<"conversation">, record: ConversationRecord): void {
    const { conversation, position, first, head } = item;
    this.#acks.confirm(conversation, position);
    this.#inbox.learn(conversation, { position, first, head });
    const own = this.#inbox.position(conversation);
    if (own !== undefined) this.#acks.note(conversation, own, 0);
    this.#reads.confirm(conversation, item.read);
    this.#reads.note(conversation, record.read);
  }

  /** Entries of this user may be the answer to a send whose own answer was lost. */
  #confirmOwn(messages: readonly Message[]): void {
    const user = this.#installation?.user;
    for (const message of messages)
      if (message.from === user && message.clientMessageId !== "") this.#outbox.confirm(message);
  }

  #asEntry({ conversation, seq, time, clientMessageId, messageType, body }: LocalMessage): Message {
    const from = this.#installation?.user ?? "";
    return { conversation, seq, from, time, clientMessageId, messageType, body };
  }

  async #inTime(work: Promise<void>): Promise<void> {
    let cancel: (() => void) | undefined;
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#ports.clock.setTimer(stopTimeoutMs, resolve);
    });
    await Promise.race([work, timeout]);
    cancel?.();
  }

  #failed(error: unknown): void {
    if (!this.#isStopping)
      this.#audience.update({
        kind: "error",
        message: error instanceof Error ? error.message : String(error),
      });
  }
}
