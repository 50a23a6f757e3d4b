/**
 * One device of one user, as the protocol asks of a client: it comes back by itself, reads what it missed, shows each
 * entry once and in order, acknowledges what it has shown, and sends again what was not acknowledged to it. Lean: of
 * what it was shown it keeps a position and a hash.
 */
import {
  closeAdvice,
  decodeFrame,
  errorName,
  errors,
  type FrameNamed,
  protocolVersion,
} from "@hongyan/protocol";
import { type Connection, openConnection } from "../wire/connection.ts";
import { encode, frameCode, idOf, seqOfMessage, seqOfSendOk, typeOf } from "../wire/frame-bytes.ts";
import type { Endpoint, Receiver } from "../wire/receiver.ts";
import { checkReceipt, type Readers } from "./receipt-check.ts";
import type { Script } from "./script.ts";
import type { Seat } from "./seat.ts";
import { Sender, sendIdMax } from "./sender.ts";
import type { Tally } from "./tally.ts";

const connectId = sendIdMax + 1;
const listId = sendIdMax + 2;
const syncId = sendIdMax + 3;
const ackId = sendIdMax + 4;
const pingId = sendIdMax + 5;

const ackEvery = 64;
const reconnectMsMax = 1_000;
/** After a refusal that will not last. */
const againMs = 200;

/**
 * `away`: no connection; a timer brings the next one. `connecting`: until `connect.ok`. `syncing`: signed in, reads
 * what it missed. `live`: everything is pushed. `ended`: for good.
 */
type State = "away" | "connecting" | "syncing" | "live" | "ended";

export interface DeviceOptions {
  readonly name: string;
  readonly user: number;
  readonly endpoint: Endpoint;
  readonly token: string;
  readonly device: string;
  readonly prefix: string;
  readonly seats: ReadonlyMap<number, Seat>;
}

export class Device implements Receiver {
  readonly name: string;
  readonly user: number;
  readonly seats: ReadonlyMap<number, Seat>;
  readonly transport: string;
  readonly #options: DeviceOptions;
  readonly #tally: Tally;
  readonly #readers: Readers;
  readonly #sender: Sender;
  #state: State = "away";
  #connection: Connection | undefined;
  #session: string | undefined;
  #isAdopted = false;
  #attempts = 0;
  #retryAfterMs = 0;
  #heartbeatMs = 30_000;
  #heardAtMs = 0;
  #saidAtMs = 0;
  #nowMs = 0;
  #unacked = 0;
  #isAcking = false;
  #acking: readonly Acknowledgement[] = [];
  #isSyncing = false;
  #syncing: readonly Acknowledgement[] = [];
  /** Something was missed while a `sync` was running: another one is due. */
  #isSyncDue = false;
  #syncItems = 0;

  constructor(options: DeviceOptions, script: Script, tally: Tally, readers: Readers) {
    this.name = options.name;
    this.user = options.user;
    this.seats = options.seats;
    this.transport = options.endpoint.transport;
    this.#options = options;
    this.#tally = tally;
    this.#readers = readers;
    this.#sender = new Sender(options.prefix, script, tally, (frame) => this.#write(frame));
  }

  get isLive(): boolean {
    return this.#state === "live";
  }

  get hasAckedAll(): boolean {
    for (const seat of this.seats.values()) if (seat.acked < seat.position) return false;
    return true;
  }

  describe(): string {
    return `${this.name} (${this.transport}, ${this.#state})`;
  }

  connect(): void {
    if (this.#state !== "away") return;
    this.#state = "connecting";
    this.#nowMs = performance.now();
    this.#heardAtMs = this.#nowMs;
    this.#connection = openConnection(this.#options.endpoint, this);
  }

  end(): void {
    this.#state = "ended";
    this.#connection?.close();
  }

  /** Hands a message to the outbox. */
  say(group: number, line: number): void {
    const seat = this.seats.get(group);
    if (seat === undefined) throw new Error("a device says something in a group that its user is not in");
    seat.numbering.lines.push(line);
    if (this.#isSignedIn) this.#sender.pump(seat, performance.now());
  }

  /** A few times a second: acknowledgements, retries, heartbeats. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#state === "away" || this.#state === "ended") return;
    if (nowMs - this.#heardAtMs > 2.5 * this.#heartbeatMs) return this.#drop("nothing heard");
    if (!this.#isSignedIn) return;
    if (nowMs - this.#saidAtMs > this.#heartbeatMs) this.#write(encode({ type: "ping", id: pingId }));
    if (this.#unacked > 0) this.#ack();
    for (const seat of this.seats.values()) this.#sender.retry(seat, nowMs);
  }

  // ── The connection ─────────────────────────────────────────────────────────────────────────────────────────────

  opened(): void {
    const { token, device } = this.#options;
    const resume = this.#session;
    this.#write(encode({ type: "connect", id: connectId, version: protocolVersion, token, device, resume }));
  }

  closed(reason: string): void {
    this.#drop(reason);
  }

  #drop(_reason: string): void {
    if (this.#state === "away" || this.#state === "ended") return;
    if (this.#state === "live") this.#tally.liveCount--;
    this.#state = "away";
    this.#connection?.close();
    this.#connection = undefined;
    this.#sender.lost(this.seats.values());
    this.#isAcking = false;
    this.#isSyncing = false;
    const capMs = Math.min(reconnectMsMax, 50 * 2 ** this.#attempts++);
    const delayMs = this.#retryAfterMs > 0 ? this.#retryAfterMs : Math.random() * capMs;
    this.#retryAfterMs = 0;
    setTimeout(() => this.connect(), delayMs);
  }

  get #isSignedIn(): boolean {
    return this.#state === "syncing" || this.#state === "live";
  }

  #write(frame: Uint8Array): void {
    this.#saidAtMs = this.#nowMs;
    this.#connection?.write(frame);
  }

  frame(bytes: Buffer, start: number, end: number): void {
    if (this.#state === "ended" || this.#state === "away") return;
    this.#nowMs = performance.now();
    this.#heardAtMs = this.#nowMs;
    switch (typeOf(bytes, start)) {
      case frameCode.message:
        return this.#message(bytes, start, end);
      case frameCode.sendOk:
        return this.#stored(idOf(bytes, start), seqOfSendOk(bytes, start));
      case frameCode.ackOk:
        return this.#acked();
      case frameCode.receipt:
        this.#tally.receipts++;
        return checkReceipt(this.#readers, this.#tally.ledger, this.name, bytes, start);
      case frameCode.pingOk:
        return;
      default:
        this.#other(decodeFrame(bytes, start, end).frame as FrameNamed<"connect.ok">);
    }
  }

  #other(frame: ReturnType<typeof decodeFrame>["frame"]): void {
    switch (frame.type) {
      case "connect.ok":
        return this.#signedIn(frame);
      case "conversation":
        return this.#listed(frame);
      case "list.ok":
        this.#isAdopted = true;
        return this.#sync();
      case "sync.ok":
        return this.#synced(frame);
      case "behind":
        return this.#sync();
      case "error":
        return this.#refused(frame);
      case "close":
        this.#retryAfterMs = frame.retryAfterMs ?? 0;
        if (closeAdvice(frame.code) !== "reconnect")
          this.#tally.ledger.violate(`${this.name} was closed: ${frame.code} ${frame.reason}`);
        return;
    }
  }

  #signedIn(reply: FrameNamed<"connect.ok">): void {
    this.#attempts = 0;
    this.#state = "syncing";
    this.#session = reply.session;
    this.#heartbeatMs = reply.heartbeatMs;
    this.#tally.epoch ??= reply.epoch;
    if (this.#tally.epoch !== reply.epoch)
      this.#tally.ledger.violate(`${this.name} found other data: epoch ${reply.epoch}`);
    for (const seat of this.seats.values()) this.#sender.pump(seat, this.#nowMs);
    if (!this.#isAdopted) this.#list();
    else if (reply.resumed && !reply.behind) this.#live();
    else this.#sync();
  }

  #live(): void {
    if (this.#state === "live") return;
    this.#state = "live";
    this.#tally.liveCount++;
  }

  #refused(error: FrameNamed<"error">): void {
    if (error.id <= sendIdMax) return this.#sender.refused(error, this.#nowMs);
    this.#retryAfterMs = error.retryAfterMs ?? 0;
    if (errors[errorName(error.code)].retry !== "later")
      return this.#tally.ledger.violate(`${this.name} was refused: ${error.name} ${error.message}`);
    if (error.id === ackId) {
      this.#isAcking = false;
      // The next tick acknowledges again.
      this.#unacked++;
    } else if (error.id === syncId) {
      this.#isSyncing = false;
      this.#soon(() => this.#sync());
    } else if (error.id === listId) {
      this.#soon(() => this.#list());
    }
  }

  /** Again on this connection, after a moment; where it is gone, the next one begins anew. */
  #soon(work: () => void): void {
    const connection = this.#connection;
    setTimeout(() => {
      if (this.#connection === connection && this.#isSignedIn) work();
    }, againMs);
  }

  #list(): void {
    this.#write(encode({ type: "list", id: listId, limit: 500 }));
  }

  // ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A device without positions of its own adopts what the server has stored for it. */
  #listed(frame: FrameNamed<"conversation">): void {
    const seat = this.seats.get(Number(frame.conversation.slice(1)));
    if (seat === undefined)
      return this.#tally.ledger.violate(`${this.name} is in ${frame.conversation} without being a member`);
    if (!this.#isAdopted && seat.position === 0) seat.adopt(frame.position);
  }

  /** Asks for the next page; it acknowledges what was shown so far. */
  #sync(): void {
    if (this.#isSyncing) {
      this.#isSyncDue = true;
      return;
    }
    this.#isSyncing = true;
    this.#isSyncDue = false;
    this.#syncItems = 0;
    this.#syncing = this.#dirty();
    const positions = this.#syncing.map(({ seat, position }) => [seat.id, position] as const);
    this.#write(encode({ type: "sync", id: syncId, positions, limit: 1000, bytes: 512 * 1024 }));
  }

  #synced(reply: FrameNamed<"sync.ok">): void {
    this.#isSyncing = false;
    this.#tally.syncPages++;
    settle(this.#syncing);
    if (reply.count !== this.#syncItems) this.#tally.syncMismatches++;
    for (const seat of this.seats.values()) seat.prune();
    if (reply.more || this.#isSyncDue || reply.count !== this.#syncItems) return this.#sync();
    this.#live();
  }

  #message(bytes: Buffer, start: number, end: number): void {
    // The first field is the id of the group: a short string, `g` and a number.
    const nameEnd = start + 14 + ((bytes[start + 13] as number) & 0x1f);
    let group = 0;
    for (let at = start + 15; at < nameEnd; at++) group = group * 10 + (bytes[at] as number) - 48;
    const seat = this.seats.get(group);
    const seq = seqOfMessage(bytes, start);
    if (seat === undefined)
      return this.#tally.ledger.violate(
        `G10: ${this.name} was shown seq ${seq} of g${group}, where it is no member`,
      );
    if (idOf(bytes, start) === syncId) this.#syncItems++;
    if (seq === seat.position + 1) {
      this.#show(seat, this.#tally.ledger.shown(this.name, group, seq, bytes, start, end));
      this.#follow(seat);
    } else if (seq <= seat.position) {
      this.#tally.repeated++;
    } else {
      this.#tally.holes++;
      if (!seat.wait(seq, Buffer.from(bytes.subarray(start, end)))) this.#isSyncDue = true;
      if (!this.#isSyncing) this.#sync();
    }
  }

  #show(seat: Seat, line: number): void {
    seat.show(line);
    this.#tally.lineShown(line, this.#nowMs);
    if (++this.#unacked >= ackEvery) this.#ack();
  }

  /** Shows what has waited for the hole before it to be filled. */
  #follow(seat: Seat): void {
    for (let what = seat.next(); what !== undefined; what = seat.next()) {
      const seq = seat.position + 1;
      const line =
        typeof what === "number"
          ? what
          : this.#tally.ledger.shown(this.name, seat.group, seq, what, 0, what.length);
      this.#show(seat, line);
    }
  }

  /** Own messages are not pushed to the device that sent them: their answer shows them. */
  #stored(id: number, seq: number): void {
    const stored = this.#sender.stored(id, seq, this.#nowMs);
    if (stored === undefined) return;
    const { seat, line } = stored;
    if (seq <= seat.position) return;
    seat.wait(seq, line);
    if (seq > seat.position + 1) return;
    this.#follow(seat);
  }

  // ── Acknowledging ──────────────────────────────────────────────────────────────────────────────────────────────

  #ack(): void {
    if (this.#isAcking || this.#isSyncing || !this.#isSignedIn) return;
    this.#acking = this.#dirty();
    this.#unacked = 0;
    if (this.#acking.length === 0) return;
    this.#isAcking = true;
    const positions = this.#acking.map(({ seat, position }) => [seat.id, position] as const);
    this.#write(encode({ type: "ack", id: ackId, positions }));
  }

  /** What was shown and is not acknowledged yet. */
  #dirty(): Acknowledgement[] {
    const dirty: Acknowledgement[] = [];
    for (const seat of this.seats.values())
      if (seat.position > seat.acked) dirty.push({ seat, position: seat.position });
    return dirty;
  }

  #acked(): void {
    this.#isAcking = false;
    settle(this.#acking);
    if (this.#unacked >= ackEvery) this.#ack();
  }
}

interface Acknowledgement {
  readonly seat: Seat;
  readonly position: number;
}

function settle(acknowledged: readonly Acknowledgement[]): void {
  for (const { seat, position } of acknowledged) seat.acked = Math.max(seat.acked, position);
}
