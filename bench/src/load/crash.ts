/**
 * Users in pairs who write to each other through a server that dies: whoever loses the connection comes back, reads
 * what was missed, sends again what was not acknowledged, and goes on. In the end everything must be there once and
 * in order.
 */
import {
  decodeFrame,
  directConversationId,
  errors,
  type FrameNamed,
  protocolVersion,
} from "@hongyan/protocol";
import { Position } from "../measure/position.ts";
import { type Series, Timeline } from "../measure/timeline.ts";
import { mintToken, type Signer } from "../process/tokens.ts";
import { type Connection, openConnection } from "../wire/connection.ts";
import {
  AckWriter,
  bodyStart,
  describe,
  encode,
  frameCode,
  idOf,
  SendWriter,
  seqOfMessage,
  seqOfSendOk,
  typeOf,
} from "../wire/frame-bytes.ts";
import type { Receiver, Transport } from "../wire/receiver.ts";
import { ackAfterMs, ackEvery } from "./reader.ts";
import { Run } from "./run.ts";

export interface CrashInput {
  readonly port: number;
  readonly transport: Transport;
  readonly trust: Signer;
  /** User i is `c<i>` and writes to user i^1. */
  readonly users: number;
  readonly inFlight: number;
  readonly bodyBytes: number;
}

export interface CrashResult {
  /** When the series begins, in milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly series: Series;
  /** The longest time in which no message was stored, and when it began in the series. */
  readonly gapMs: number;
  readonly gapStartMs: number;
  /** All messages of the run: each was stored, and received once and in order. */
  readonly messages: number;
  /** Messages that were sent again because their acknowledgement had not come. */
  readonly sentAgain: number;
}

const connectId = 0xffff_0000;
const pullId = 0xffff_0001;
const ackIds = 0x8000_0000;
const sentMask = 0x3fff;
const retryMsMax = 50;

class Crash {
  readonly run = new Run();
  timeline: Timeline | undefined;
  isSending = true;
  sentAgain = 0;
}

class Survivor implements Receiver {
  readonly #input: CrashInput;
  readonly #crash: Crash;
  readonly #user: string;
  readonly #conversation: string;
  readonly #writer: SendWriter;
  readonly #acks: AckWriter;
  readonly #sentAtMs = new Float64Array(sentMask + 1);
  readonly position = new Position();
  #connection: Connection | undefined;
  #retryAfterMs = 0;
  #ackSent = 0;
  /** Signed in, and nothing is left to be pulled. */
  isLive = false;
  /** Numbers up to here are stored; they are answered in order. */
  storedCount = 0;
  receivedCount = 0;
  /** The seq of each message of the partner, by its number: pushes and pages may overtake each other. */
  readonly #seqs: number[] = [];

  constructor(input: CrashInput, index: number, crash: Crash) {
    this.#input = input;
    this.#crash = crash;
    this.#user = `c${index}`;
    this.#conversation = directConversationId(this.#user, `c${index ^ 1}`);
    this.#writer = new SendWriter(this.#conversation, this.#user, input.bodyBytes);
    this.#acks = new AckWriter(this.#conversation);
  }

  get sent(): number {
    return this.#writer.n;
  }

  dial(): void {
    const { transport, port } = this.#input;
    this.#connection = openConnection({ transport, port }, this);
  }

  close(): void {
    this.#connection?.close();
  }

  opened(): void {
    const token = mintToken(this.#input.trust, this.#user);
    this.#write({ type: "connect", id: connectId, version: protocolVersion, token, device: "d" });
  }

  frame(bytes: Buffer, start: number, end: number): void {
    switch (typeOf(bytes, start)) {
      case frameCode.message:
        return this.#message(bytes, start, end);
      case frameCode.sendOk:
        return this.#stored(idOf(bytes, start), seqOfSendOk(bytes, start));
      case frameCode.connectOk:
      case frameCode.behind:
        return this.#pull();
      case frameCode.syncOk:
        return this.#pulled(decodeFrame(bytes, start, end).frame as FrameNamed<"sync.ok">);
      case frameCode.error: {
        const error = decodeFrame(bytes, start, end).frame as FrameNamed<"error">;
        if (error.code === errors.overloaded.code) this.#retryAfterMs = error.retryAfterMs ?? 0;
        else this.#crash.run.fail(describe(bytes, start, end));
      }
    }
  }

  closed(): void {
    this.isLive = false;
    setTimeout(() => this.dial(), this.#retryAfterMs > 0 ? this.#retryAfterMs : Math.random() * retryMsMax);
    this.#retryAfterMs = 0;
  }

  ack(): void {
    const { value } = this.position;
    if (!this.isLive || this.#connection === undefined || value === this.#ackSent) return;
    this.#ackSent = value;
    this.#acks.write(this.#connection, (ackIds | (value & 0xffffff)) >>> 0, value);
  }

  /** Reads page after page; each request acknowledges what is here so far. */
  #pull(): void {
    const { value } = this.position;
    this.#ackSent = value;
    const positions = value === 0 ? [] : [[this.#conversation, value] as const];
    this.#write({ type: "sync", id: pullId, positions, limit: 1000, bytes: 1 << 20 });
  }

  /** The end is where there is no more, not an empty page: the partner goes on writing. */
  #pulled({ more }: FrameNamed<"sync.ok">): void {
    if (more) return this.#pull();
    const wasLive = this.isLive;
    this.isLive = true;
    if (!wasLive) this.#sendAgain();
    this.#fill();
  }

  /** What was not acknowledged may be stored or not: the server finds out by the client message id. */
  #sendAgain(): void {
    for (let n = this.storedCount + 1; n <= this.#writer.n; n++) {
      this.#crash.sentAgain++;
      if (this.#connection !== undefined)
        this.#writer.again(this.#connection, n, this.#sentAtMs[n & sentMask] as number);
    }
  }

  #fill(): void {
    if (this.#connection === undefined || !this.#crash.isSending) return;
    const nowMs = performance.now();
    while (this.#writer.n - this.storedCount < this.#input.inFlight) {
      const n = this.#writer.write(this.#connection, nowMs);
      this.#sentAtMs[n & sentMask] = nowMs;
    }
  }

  #stored(n: number, seq: number): void {
    if (n !== this.storedCount + 1)
      return this.#crash.run.fail(`${this.#user}: ${n} was stored after ${this.storedCount}`);
    this.storedCount = n;
    this.#see(seq);
    this.#crash.timeline?.stored(performance.now());
    if (this.isLive) this.#fill();
  }

  #message(bytes: Buffer, start: number, end: number): void {
    // A page may hold what this user has sent itself; what is pushed is always of the other one.
    const isOwn =
      idOf(bytes, start) === pullId &&
      (decodeFrame(bytes, start, end).frame as FrameNamed<"message">).from === this.#user;
    const seq = seqOfMessage(bytes, start);
    if (!this.#see(seq) || isOwn) return;
    const at = bodyStart(bytes, start);
    const n = bytes.readUInt32BE(at + 8);
    if (this.#seqs[n] !== undefined)
      return this.#crash.run.fail(`${this.#user}: message ${n} stands at ${this.#seqs[n]} and at ${seq}`);
    this.#seqs[n] = seq;
    this.receivedCount++;
    const nowMs = performance.now();
    this.#crash.timeline?.received(nowMs, nowMs - bytes.readDoubleBE(at));
  }

  /** Whether the entry at `seq` was not here yet. */
  #see(seq: number): boolean {
    const isNew = this.position.see(seq);
    if (this.position.value - this.#ackSent >= ackEvery) this.ack();
    return isNew;
  }

  /** Whether the partner's messages stand in the log in the order in which they were sent, all of them. */
  hasInOrder(sent: number): boolean {
    for (let n = 1; n <= sent; n++)
      if (!((this.#seqs[n] ?? 0) > (n === 1 ? 0 : (this.#seqs[n - 1] ?? 0)))) return false;
    return true;
  }

  #write(frame: Parameters<typeof encode>[0]): void {
    this.#connection?.write(encode(frame));
  }
}

let crash = new Crash();
let survivors: Survivor[] = [];

/** Connects everybody and lets them write. */
export async function beginCrash(input: CrashInput): Promise<void> {
  crash = new Crash();
  survivors = Array.from({ length: input.users }, (_, index) => new Survivor(input, index, crash));
  for (const survivor of survivors) survivor.dial();
  await crash.run.until("connecting", () => survivors.every(({ isLive }) => isLive));
  const acks = setInterval(() => {
    for (const survivor of survivors) survivor.ack();
  }, ackAfterMs);
  acks.unref();
}

/** Records for so long, whatever happens meanwhile; then everything that was sent must arrive. */
export async function recordCrash({ ms, bucketMs }: { ms: number; bucketMs: number }): Promise<CrashResult> {
  const timeline = new Timeline(performance.now(), ms, bucketMs);
  const startedAtMs = performance.timeOrigin + performance.now();
  crash.timeline = timeline;
  await crash.run.pause(ms);
  crash.isSending = false;
  await crash.run.until(
    "storing and receiving everything",
    () => survivors.every((survivor, index) => isComplete(survivor, survivors[index ^ 1])),
    60_000,
  );
  crash.run.end();
  if (!survivors.every((survivor, index) => survivor.hasInOrder(survivors[index ^ 1]?.sent ?? 0)))
    throw new Error("messages are missing or out of order");
  for (const survivor of survivors) survivor.close();
  return {
    startedAtMs,
    series: timeline.series(),
    gapMs: timeline.gapMs,
    gapStartMs: timeline.gapStartMs,
    messages: survivors.reduce((sum, { sent }) => sum + sent, 0),
    sentAgain: crash.sentAgain,
  };
}

function isComplete(survivor: Survivor, partner: Survivor | undefined): boolean {
  if (partner === undefined) throw new Error("the number of users is odd");
  return (
    survivor.isLive &&
    survivor.storedCount === survivor.sent &&
    partner.receivedCount === survivor.sent &&
    survivor.position.value === survivor.sent + partner.sent
  );
}
