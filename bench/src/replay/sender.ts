/**
 * The sending half of a device: messages wait in order until they are stored, each chained to the one before; what is
 * not answered in time, or was on its way when the connection broke, is sent again from the earliest one.
 */
import { errorName, errors, type FrameNamed } from "@hongyan/protocol";
import { encode } from "../wire/frame-bytes.ts";
import type { Script } from "./script.ts";
import type { Seat } from "./seat.ts";
import type { Tally } from "./tally.ts";

/** Messages of one group that a device has on their way at once. */
const inFlightMax = 32;
const retryMs = { first: 4_000, max: 60_000 };
/** Ids of sends; the device's other commands have higher ones. */
export const sendIdMax = 0x7fff_ffff;

interface Flight {
  readonly seat: Seat;
  readonly n: number;
}

export class Sender {
  readonly #prefix: string;
  readonly #script: Script;
  readonly #tally: Tally;
  readonly #write: (frame: Uint8Array) => void;
  #flights = new Map<number, Flight>();
  #id = 0;

  constructor(prefix: string, script: Script, tally: Tally, write: (frame: Uint8Array) => void) {
    this.#prefix = prefix;
    this.#script = script;
    this.#tally = tally;
    this.#write = write;
  }

  /** The connection is gone: nothing will be answered any more. */
  lost(seats: Iterable<Seat>): void {
    this.#flights = new Map();
    for (const seat of seats) {
      this.#tally.resent += seat.sent - seat.stored;
      seat.sent = seat.stored;
      seat.retryDelayMs = 0;
    }
  }

  /** Sends what the window allows. */
  pump(seat: Seat, nowMs: number): void {
    const { lines } = seat.numbering;
    while (seat.sent < lines.length && seat.sent - seat.stored < inFlightMax) this.#send(seat, ++seat.sent);
    if (seat.sent > seat.stored && seat.retryDelayMs === 0) this.#arm(seat, nowMs);
  }

  #send(seat: Seat, n: number): void {
    const line = seat.numbering.lines[n - 1] as number;
    this.#id = this.#id >= sendIdMax ? 1 : this.#id + 1;
    this.#flights.set(this.#id, { seat, n });
    this.#write(
      encode({
        type: "send",
        id: this.#id,
        conversation: seat.id,
        clientMessageId: `${this.#prefix}:${n}`,
        after: n === 1 ? undefined : `${this.#prefix}:${n - 1}`,
        body: this.#script.lines[line]?.body,
      }),
    );
  }

  #arm(seat: Seat, nowMs: number): void {
    const base = seat.retryDelayMs === 0 ? retryMs.first : Math.min(retryMs.max, seat.retryDelayMs * 2);
    seat.retryDelayMs = base;
    seat.retryAtMs = nowMs + base * (0.75 + Math.random() / 2);
  }

  /** Called now and then: sends again what was not answered. */
  retry(seat: Seat, nowMs: number): void {
    if (nowMs < seat.retryAtMs) return;
    if (seat.stored === seat.numbering.lines.length) {
      seat.retryAtMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#again(seat);
    this.#arm(seat, nowMs);
    this.pump(seat, nowMs);
  }

  /** From the earliest message that is not stored; answers to what was sent before are still welcome. */
  #again(seat: Seat): void {
    this.#tally.resent += seat.sent - seat.stored;
    seat.sent = seat.stored;
  }

  /** The message behind a command id is stored; returns its seat, seq and line. */
  stored(id: number, seq: number, nowMs: number): { seat: Seat; line: number } | undefined {
    const flight = this.#flights.get(id);
    if (flight === undefined) return undefined;
    this.#flights.delete(id);
    const { seat, n } = flight;
    const line = seat.numbering.lines[n - 1] as number;
    this.#tally.lineStored(line, seat.group, seq, nowMs);
    if (seat.messageStored(n)) {
      seat.retryDelayMs = 0;
      seat.retryAtMs = Number.POSITIVE_INFINITY;
    }
    this.pump(seat, nowMs);
    return { seat, line };
  }

  refused(error: FrameNamed<"error">, nowMs: number): void {
    const flight = this.#flights.get(error.id);
    if (flight === undefined) return;
    this.#flights.delete(error.id);
    const { seat, n } = flight;
    const name = errorName(error.code);
    const { retry } = errors[name];
    if (retry !== "later" && retry !== "reorder") {
      this.#tally.ledger.violate(`${this.#prefix}:${n} in ${seat.id} was refused: ${name} ${error.message}`);
      return;
    }
    if (n <= seat.stored) return;
    // All that was sent behind it is refused as well: one retry for all of them.
    seat.retryAtMs = Math.min(seat.retryAtMs, nowMs + Math.max(50, error.retryAfterMs ?? 0));
  }
}
