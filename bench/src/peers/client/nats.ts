import type { Channel, PeerClient, PeerEvents, PeerLogin } from "../peer-client.ts";
import { digitsAt, numberOf, senderOf } from "../wire/body.ts";
import {
  newOperation,
  type Operation,
  PublishWriter,
  readOperation,
  replyDigits,
  writeAck,
} from "../wire/nats.ts";
import { PeerSocket } from "../wire/peer-socket.ts";

const shards = 16;

/**
 * The streams that take the channels, each some of them: a stream writes and synchronises one message after another,
 * several do it at the same time. With a single one nothing arrived in time at 32 messages in flight.
 */
export const streams: readonly { readonly name: string; readonly subjects: readonly string[] }[] = Array.from(
  { length: shards },
  (_, shard) => ({ name: streamOf(shard), subjects: [`inbox.${shard}.*`, `group.${shard}.*`] }),
);

function streamOf(shard: number): string {
  return `BENCH${shard}`;
}

function shardOf({ name }: Channel): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return hash % shards;
}

const operation = newOperation();
const deliverSid = "1";
const replySid = "2";
const [dollar, underscore] = [0x24, 0x5f];

function subjectOf(channel: Channel): string {
  return `${channel.kind}.${shardOf(channel)}.${channel.name}`;
}

/**
 * Core NATS, where nobody acknowledges anything, or JetStream: a stream acknowledges to the sender, and a push
 * consumer of each reader wants an acknowledgement of each message.
 */
export class NatsClient extends PeerSocket implements PeerClient {
  readonly hasAckedAll = true;
  readonly #login: PeerLogin;
  readonly #events: PeerEvents;
  readonly #isStream: boolean;
  readonly #writers: readonly PublishWriter[];
  #state: "greeting" | "connecting" | "finding" | "consuming" | "ready" = "greeting";
  /** Consumers that were asked for and not confirmed. */
  #consumers = 0;
  #sent = 0;

  constructor(
    { port, mode }: { port: number; mode: "core" | "jetstream" },
    login: PeerLogin,
    events: PeerEvents,
  ) {
    super(port);
    this.#login = login;
    this.#events = events;
    this.#isStream = mode === "jetstream";
    const reply = this.#isStream ? `_INBOX.${login.user}.` : undefined;
    this.#writers = login.writes.map((channel) => new PublishWriter(subjectOf(channel), reply));
  }

  send(to: number, body: Buffer): void {
    (this.#writers[to] as PublishWriter).write(this, body, ++this.#sent);
  }

  ack(): void {}

  protected override opened(): void {}

  protected override closed(reason: string): void {
    this.#events.lost(reason);
  }

  protected override parse(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && readOperation(bytes, at, end, operation)) {
      at = operation.end;
      if (operation.isMessage) this.#message(bytes, operation);
      else this.#control(bytes.toString("latin1", operation.start, operation.lineEnd));
    }
    return at;
  }

  #control(line: string): void {
    if (line.startsWith("INFO ")) {
      if (this.#state === "greeting") this.#connect();
    } else if (line === "PING") {
      this.#say("PONG\r\n");
    } else if (line === "PONG") {
      this.#connected();
    } else if (line.startsWith("-ERR")) {
      this.end(line);
    }
  }

  /** Subscriptions of which the server has seen a later PING are in force. */
  #connect(): void {
    this.#state = "connecting";
    const { user, reads } = this.#login;
    const options = {
      verbose: false,
      pedantic: false,
      echo: false,
      lang: "bench",
      version: "1",
      protocol: 1,
      name: user,
    };
    this.#say(`CONNECT ${JSON.stringify(options)}\r\n`);
    if (this.#isStream) {
      this.#say(`SUB deliver.${user} ${deliverSid}\r\nSUB _INBOX.${user}.* ${replySid}\r\n`);
    } else {
      // Each has a number of its own: a second subscription of the same number is none.
      for (const [at, channel] of reads.entries()) this.#say(`SUB ${subjectOf(channel)} ${at + 1}\r\n`);
    }
    this.#say("PING\r\n");
  }

  #connected(): void {
    if (this.#state !== "connecting") return;
    if (!this.#isStream || this.#login.reads.length === 0) return this.#ready();
    if (this.#login.stays) this.#find();
    else this.#create();
  }

  /**
   * Who stays has its consumers already when it comes back. They are made together, so that one tells of all; official
   * clients look first, too, because making what is there costs the server a write.
   */
  #find(): void {
    this.#state = "finding";
    const { user, reads } = this.#login;
    const stream = streamOf(shardOf(reads[0] as Channel));
    this.#say(`PUB $JS.API.CONSUMER.INFO.${stream}.${user} _INBOX.${user}.consumer 0\r\n\r\n`);
  }

  #create(): void {
    this.#state = "consuming";
    const byShard = Map.groupBy(this.#login.reads, shardOf);
    this.#consumers = byShard.size;
    for (const [shard, channels] of byShard) this.#consume(streamOf(shard), channels.map(subjectOf));
  }

  #consume(stream: string, subjects: readonly string[]): void {
    const { user } = this.#login;
    const config = {
      durable_name: user,
      deliver_subject: `deliver.${user}`,
      ack_policy: "explicit",
      ack_wait: 60_000_000_000,
      max_ack_pending: -1,
      deliver_policy: "all",
      ...(subjects.length === 1 ? { filter_subject: subjects[0] } : { filter_subjects: subjects }),
    };
    const request = JSON.stringify({ stream_name: stream, config });
    this.#say(
      `PUB $JS.API.CONSUMER.DURABLE.CREATE.${stream}.${user} _INBOX.${user}.consumer ${Buffer.byteLength(request)}\r\n${request}\r\n`,
    );
  }

  #ready(): void {
    this.#state = "ready";
    this.#events.ready();
  }

  #message(bytes: Buffer, at: Operation): void {
    if (this.#isStream && bytes[at.subjectStart] === underscore) return this.#answer(bytes, at);
    // What JetStream itself has to say, of flow for instance, has no such subject to answer to.
    if (bytes[at.replyStart] === dollar) writeAck(this, bytes, at.replyStart, at.replyEnd);
    this.#events.message(senderOf(bytes, at.bodyStart), numberOf(bytes, at.bodyStart));
  }

  /** `{"stream":"BENCH0","seq":1}` or what went wrong. */
  #answer(bytes: Buffer, { bodyStart, bodyEnd, subjectEnd }: Operation): void {
    // The second key of an answer: nothing else has to be looked at a hundred thousand times a second.
    const isError =
      bytes[bodyStart + 2] !== 0x73 && bytes.toString("latin1", bodyStart, bodyEnd).includes('"error":');
    if (this.#state === "finding") return isError ? this.#create() : this.#ready();
    if (isError) return this.end(bytes.toString("utf8", bodyStart, bodyEnd));
    if (this.#state === "consuming") {
      if (--this.#consumers === 0) this.#ready();
      return;
    }
    this.#events.stored(digitsAt(bytes, subjectEnd - replyDigits, replyDigits));
  }

  #say(text: string): void {
    this.write(Buffer.from(text));
  }
}
