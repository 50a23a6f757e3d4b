import type { Broker, NodeEvent } from "@hongyan/core";
import { MemoryBroker } from "@hongyan/core/memory";
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import { Batches, type Destination } from "./batches.ts";
import { BrokerError } from "./broker-error.ts";
import type { ByteReader } from "./byte-reader.ts";
import { connectNats } from "./connect.ts";
import {
  envelopeBytes,
  eventOverheadBytes,
  gapEnvelope,
  openEnvelope,
  readEvents,
  readRecipients,
} from "./envelope.ts";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import { Link } from "./link.ts";
import { NodeName } from "./node-name.ts";
import { defaults, type NatsOptions, urls } from "./options.ts";
import { RecipientsDecoder, RecipientsEncoder } from "./recipients.ts";
import { Soon } from "./soon.ts";
import { emptyStatistics, type NatsStatistics } from "./statistics.ts";
import { subjectToken } from "./subject.ts";

/**
 * Lists from this length on travel as one message that every node reads, shorter ones as one per subject. At 16 with a
 * fifth of them online, one message costs all machines together less in clusters of up to seven nodes; at 200, of up
 * to sixty. With 1,000 the publisher spends 27 instead of 1,490 µs.
 */
const manyFrom = 16;
/** Bytes of recipients in one message; the rest of it is for events. */
const recipientsBytesMax = 128 * 1024;
/** NATS comes back to all nodes at once, and while it is slow they drop again and again: one notice for all of it. */
const noticeDelayMs = 500;

/**
 * The broker between nodes, over core NATS:
 *
 *     publish ─┬→ subscribers of this node, in the call
 *              └→ encoded once → batches by destination → end of the tick → NATS → other nodes → their subscribers
 *
 * A node subscribes to `<prefix>to.<subject>` for each subject that somebody here listens to, so that an event for one
 * user goes only where the user is. A list of many subjects, a group's, goes to `<prefix>many` once, with the list,
 * and every node looks up who of it is here. Whatever is lost on the way is a gap (`<prefix>gap`): the nodes are told,
 * and their devices read after their cursors.
 */
export class NatsBroker implements Broker<NodeEvent> {
  readonly statistics: NatsStatistics = emptyStatistics();
  readonly #options: NatsOptions;
  readonly #prefix: string;
  readonly #link: Link;
  readonly #name: NodeName;
  /** The subscribers of this node by subject, and by token for what comes from others. */
  readonly #bySubject = new MemoryBroker<NodeEvent>();
  readonly #byToken = new MemoryBroker<NodeEvent>();
  readonly #subscriptions = new Map<string, Subscription | undefined>();
  readonly #encoder: RecipientsEncoder;
  readonly #recipientsBytesMax: number;
  readonly #decoder = new RecipientsDecoder();
  readonly #batches = new Batches();
  /** This node has missed something; the others have. */
  readonly #missed = new Soon(noticeDelayMs, () => this.#tellNode());
  readonly #dropped = new Soon(noticeDelayMs, () => this.#tellOthers());
  #isFlushDue = false;

  private constructor(options: NatsOptions, nats: NatsConnection) {
    this.#options = options;
    this.#prefix = options.prefix ?? defaults.prefix;
    this.#link = new Link(nats, {
      bufferBytesMax: options.bufferBytesMax ?? defaults.bufferBytesMax,
      journal: options.journal,
      statistics: this.statistics,
      returned: () => {
        this.#missed.ask();
        this.#name.returned();
      },
      recovered: () => this.#dropped.ask(),
    });
    this.#name = new NodeName({
      link: this.#link,
      name: options.node,
      subject: `${this.#prefix}name.${subjectToken(options.node)}`,
      journal: options.journal,
      statistics: this.statistics,
    });
    this.#recipientsBytesMax = Math.min(recipientsBytesMax, this.#link.messageBytesMax >> 2);
    this.#encoder = new RecipientsEncoder(this.#recipientsBytesMax);
    this.#link.subscribe(`${this.#prefix}many`, (message) =>
      this.#receive(message, (reader) => this.#decoder.decode(readRecipients(reader))),
    );
    this.#link.subscribe(`${this.#prefix}gap`, (message) => this.#receiveGap(message));
  }

  /**
   * Rejects with `BrokerError` where NATS is not there, or does not let this node do what it has to do, or another
   * node has its name.
   */
  static async open(options: NatsOptions): Promise<NatsBroker> {
    const broker = new NatsBroker(options, await connectNats(options));
    try {
      await broker.#checkRights();
      await broker.#name.take();
      return broker;
    } catch (error) {
      await broker.close();
      throw error;
    }
  }

  /**
   * Costs a copy of the event per subject, or one for all of them where they are many; the event itself is encoded
   * once. A subscriber of this node that throws does so here, after all were served.
   */
  publish(subjects: readonly string[], event: NodeEvent): void {
    if (subjects.length > 0) this.#toOthers(subjects, event);
    this.#bySubject.publish(subjects, event);
  }

  /** Throws where the subject has a subscription already. Costs one ping per tick, however many subscribe in it. */
  subscribe(subject: string, receive: (event: NodeEvent) => void): Promise<void> | undefined {
    this.#bySubject.subscribe(subject, receive);
    const token = subjectToken(subject);
    this.#byToken.subscribe(token, receive);
    const tokens = [token];
    const subscription = this.#link.subscribe(this.#to(token), (message) =>
      this.#receive(message, () => tokens),
    );
    this.#subscriptions.set(subject, subscription);
    return this.#link.taken();
  }

  unsubscribe(subject: string): void {
    this.#bySubject.unsubscribe(subject);
    this.#byToken.unsubscribe(subjectToken(subject));
    this.#subscriptions.get(subject)?.unsubscribe();
    this.#subscriptions.delete(subject);
  }

  /** Resolves when NATS has taken everything so far, subscriptions too; rejects when it goes away before. */
  flush(): Promise<void> {
    this.#flush();
    return this.#link.flush();
  }

  /** Lets what was published leave, if NATS is there. Afterwards only subscribers of this node are served. */
  async close(): Promise<void> {
    this.#flush();
    this.#name.close();
    this.#missed.cancel();
    this.#dropped.cancel();
    await this.#link.close();
  }

  #to(token: string): string {
    return `${this.#prefix}to.${token}`;
  }

  /** Whether NATS allows what will be asked of it later, while somebody still looks. */
  async #checkRights(): Promise<void> {
    const probe = this.#to("~");
    this.#link.subscribe(probe, () => undefined)?.unsubscribe();
    this.#link.send(probe, gapEnvelope, 0);
    const where = urls(this.#options).join(", ");
    const refusal = await this.#link.refusal().catch((error: Error) => {
      throw new BrokerError("unreachable", `NATS at ${where} went away: ${error.message}`, error);
    });
    if (refusal === undefined) return;
    throw new BrokerError(
      "refused",
      `NATS at ${where} must let this node publish and subscribe to ${this.#prefix}>: ${refusal.message}`,
      refusal,
    );
  }

  #toOthers(subjects: readonly string[], event: NodeEvent): void {
    this.statistics.eventsPublished++;
    if (!this.#link.hasRoom(this.#batches.bytes)) return this.#link.dropped(1);
    const isMany = subjects.length >= manyFrom;
    const room = this.#link.messageBytesMax - envelopeBytes - eventOverheadBytes;
    const encoded = encodeEvent(event, isMany ? room - this.#recipientsBytesMax : room);
    if (isMany) this.#batches.add(this.#encoder.encode(subjects), encoded);
    else for (const subject of subjects) this.#batches.add(subjectToken(subject), encoded);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    this.#batches.flush(this.#link.messageBytesMax, this.#send);
    this.#link.confirm();
  }

  readonly #send = (destination: Destination, message: Uint8Array, events: number): void => {
    const subject = typeof destination === "string" ? this.#to(destination) : `${this.#prefix}many`;
    this.#link.send(subject, message, events);
  };

  /** What comes from other nodes is believed only as far as it can be read; nothing of it makes this throw. */
  #receive(message: Uint8Array, tokensOf: (reader: ByteReader) => readonly string[]): void {
    const { statistics } = this;
    try {
      const reader = openEnvelope(message);
      if (reader === undefined) {
        statistics.unknown++;
        return;
      }
      const tokens = tokensOf(reader);
      for (const bytes of readEvents(reader)) {
        const event = decodeEvent(bytes);
        if (event === undefined) statistics.unknown++;
        else this.#hand(tokens, event);
      }
    } catch (error) {
      statistics.malformed++;
      this.#link.warn("broker message unreadable", { error: String(error) });
    }
  }

  #hand(tokens: readonly string[], event: NodeEvent): void {
    this.statistics.eventsReceived++;
    this.#guarded(() => this.#byToken.publish(tokens, event));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.statistics.receiverFailures++;
      this.#link.warn("broker receiver failed", {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }

  #receiveGap(message: Uint8Array): void {
    if (message.length > 0) this.#missed.ask();
  }

  #tellNode(): void {
    this.statistics.gaps++;
    this.#guarded(() => this.#options.missed?.());
  }

  #tellOthers(): void {
    this.#link.send(`${this.#prefix}gap`, gapEnvelope, 0);
    this.#link.confirm();
  }
}
