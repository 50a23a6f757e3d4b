import type { Channel, PeerClient, PeerEvents, PeerLogin } from "../peer-client.ts";
import {
  type AmqpFrame,
  ackFrame,
  deliveryTagStart,
  emptyTable,
  frameType,
  longString,
  method,
  methodFrame,
  PublishWriter,
  protocolHeader,
  readFrame,
  shortString,
  tagAt,
} from "../wire/amqp.ts";
import { numberOf, senderOf } from "../wire/body.ts";
import { PeerSocket } from "../wire/peer-socket.ts";
import { Confirms } from "./confirms.ts";

const frame: AmqpFrame = { type: 0, channel: 0, start: 0, end: 0 };
const channel = 1;
const durable = Buffer.of(2);

function queueOf(user: string): string {
  return `queue.${user}`;
}

function exchangeOf({ name }: Channel): string {
  return `group.${name}`;
}

/**
 * Durable queues, persistent messages, confirms for the publisher. A consumer acknowledges what one read has brought
 * with one `basic.ack` for all of it, as AMQP offers.
 */
export class AmqpClient extends PeerSocket implements PeerClient {
  readonly #login: PeerLogin;
  readonly #events: PeerEvents;
  readonly #writers: readonly PublishWriter[];
  readonly #confirms = new Confirms();
  readonly #onConfirmed: (n: number) => void;
  /** Frames that are sent one by one, each on the answer to the one before. */
  readonly #steps: Buffer[];
  #deliveredTag = 0;
  #ackedTag = 0;

  constructor(port: number, login: PeerLogin, events: PeerEvents) {
    super(port);
    this.#login = login;
    this.#events = events;
    this.#onConfirmed = (n) => events.stored(n);
    this.#writers = login.writes.map((to) =>
      to.kind === "inbox"
        ? new PublishWriter(channel, "", queueOf(to.name))
        : new PublishWriter(channel, exchangeOf(to), ""),
    );
    this.#steps = stepsOf(login);
  }

  get hasAckedAll(): boolean {
    return this.#ackedTag === this.#deliveredTag;
  }

  send(to: number, body: Buffer): void {
    (this.#writers[to] as PublishWriter).write(this, body);
  }

  ack(): void {}

  protected override opened(): void {
    this.write(protocolHeader);
  }

  protected override closed(reason: string): void {
    this.#events.lost(reason);
  }

  protected override parse(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && readFrame(bytes, at, end, frame)) {
      at = frame.end + 1;
      if (frame.type === frameType.method) this.#method(bytes, frame.start, frame.end);
      else if (frame.type === frameType.body)
        this.#events.message(senderOf(bytes, frame.start), numberOf(bytes, frame.start));
    }
    return at;
  }

  protected override settled(): void {
    if (this.#ackedTag === this.#deliveredTag) return;
    this.#ackedTag = this.#deliveredTag;
    this.write(ackFrame(channel, this.#ackedTag));
  }

  #method(bytes: Buffer, start: number, end: number): void {
    const at = start + 4;
    switch (bytes.readUInt32BE(start)) {
      case method.basicDeliver:
        this.#deliveredTag = tagAt(bytes, deliveryTagStart(bytes, at));
        return;
      case method.basicAck:
        return this.#confirms.confirm(tagAt(bytes, at), bytes[at + 8] === 1, this.#onConfirmed);
      case method.connectionTune:
        // What the server proposes, but for heartbeats.
        this.write(methodFrame(0, method.connectionTuneOk, bytes.subarray(at, at + 6), Buffer.alloc(2)));
        return this.#next();
      case method.basicNack:
        return this.end(`${this.#login.user}: a message was refused`);
      case method.connectionClose:
      case method.channelClose:
        return this.end(bytes.toString("latin1", at + 3, end));
      default:
        this.#next();
    }
  }

  #next(): void {
    const step = this.#steps.shift();
    if (step === undefined) this.#events.ready();
    else this.write(step);
  }
}

function stepsOf({ user, reads, writes }: PeerLogin): Buffer[] {
  const queue = shortString(queueOf(user));
  const groups = [...reads, ...writes].filter(({ kind }) => kind === "group");
  const none = Buffer.alloc(2);
  return [
    methodFrame(
      0,
      method.connectionStartOk,
      emptyTable,
      shortString("PLAIN"),
      longString("\0guest\0guest"),
      shortString("en_US"),
    ),
    methodFrame(0, method.connectionOpen, shortString("/"), Buffer.of(0, 0)),
    methodFrame(channel, method.channelOpen, Buffer.of(0)),
    ...(writes.length === 0 ? [] : [methodFrame(channel, method.confirmSelect, Buffer.of(0))]),
    ...groups.map((group) =>
      methodFrame(
        channel,
        method.exchangeDeclare,
        none,
        shortString(exchangeOf(group)),
        shortString("fanout"),
        durable,
        emptyTable,
      ),
    ),
    ...(reads.length === 0
      ? []
      : [methodFrame(channel, method.queueDeclare, none, queue, durable, emptyTable)]),
    ...reads
      .filter(({ kind }) => kind === "group")
      .map((group) =>
        methodFrame(
          channel,
          method.queueBind,
          none,
          queue,
          shortString(exchangeOf(group)),
          shortString(""),
          Buffer.of(0),
          emptyTable,
        ),
      ),
    ...(reads.length === 0
      ? []
      : [methodFrame(channel, method.basicConsume, none, queue, shortString("c"), Buffer.of(0), emptyTable)]),
  ];
}
