import { errors, type FrameNamed } from "@hongyan/protocol";
import type { ClientSettings, LocalMessage, SendFailure } from "../api.ts";
import { type MessageName, messageKey } from "../message-key.ts";
import type { Clock, Random, StorageChange } from "../ports.ts";
import { resendDelayMs } from "./backoff.ts";
import { Lane, type Sending } from "./lane.ts";
import { asError, type Requests } from "./requests.ts";

/** What the outbox needs from the engine. */
export interface OutboxSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ClientSettings;
  readonly requests: Requests;
  isConnected(): boolean;
  write(change: StorageChange, done?: () => void): void;
  /** The server has stored an own message at `message.seq`. */
  stored(message: LocalMessage): void;
}

/** Ids of messages that left the outbox lately: another tab may have read it a moment before. */
const recentMax = 4096;
/** Enough that the message after a lost one shows the loss. */
const windowAfterLoss = 4;

/**
 * Step 1 of six, the sender's side: what is queued is sent again until the server has stored it once (G2), in
 * the order in which it was queued (G3). Every transmission after a loss starts with the earliest unacknowledged
 * message of its conversation; `after` keeps the server from storing a later one first.
 */
export class Outbox {
  readonly #around: OutboxSurroundings;
  readonly #lanes = new Map<string, Lane>();
  readonly #sendings = new Map<string, Sending>();
  readonly #failed = new Map<string, LocalMessage>();
  readonly #recent = new Set<string>();
  readonly #chains = new Map<string, string>();
  /** Lanes that wait for room in the bytes in flight. */
  readonly #stalled = new Set<Lane>();
  #bytesInFlight = 0;

  constructor(around: OutboxSurroundings) {
    this.#around = around;
  }

  /** Messages that the server has not confirmed. */
  get size(): number {
    return this.#sendings.size;
  }

  /** Takes over what an earlier run left, or what another tab has written. */
  restore(outbox: readonly LocalMessage[], chains: readonly (readonly [string, string])[]): void {
    for (const [conversation, id] of chains) {
      this.#chains.set(conversation, id);
      const lane = this.#lanes.get(conversation);
      if (lane !== undefined) lane.lastStored ??= id;
    }
    this.absorb(outbox);
  }

  /** Adds what is in the storage's outbox and not known here. */
  absorb(outbox: readonly LocalMessage[]): void {
    for (const message of outbox) {
      const key = messageKey(message);
      if (this.#sendings.has(key) || this.#recent.has(key)) continue;
      if (message.status === "failed") this.#failed.set(key, message);
      else this.#queue(message).isDurable = true;
    }
    this.pump();
  }

  /** Queues a new message; `next` is the number after its own. It leaves once it is on disk. */
  add(message: LocalMessage, next: number): void {
    const sending = this.#queue(message);
    this.#around.write({ outbox: [message], numbers: [[message.conversation, next]] }, () => {
      sending.isDurable = true;
      const lane = this.#lanes.get(message.conversation);
      if (lane !== undefined) this.#pumpLane(lane);
    });
  }

  /** Forgets a failed message. */
  discard(message: MessageName): void {
    const failed = this.#failed.get(messageKey(message));
    if (failed === undefined) return;
    this.#failed.delete(messageKey(message));
    this.#around.write({ discarded: [failed] });
  }

  /** A log entry of this user came in: if it is one of ours whose answer was lost, it is answered now. */
  confirm(message: MessageName & { readonly seq: number; readonly time: number }): void {
    const sending = this.#sendings.get(messageKey(message));
    if (sending !== undefined) this.#stored(sending, message.seq, message.time);
    else this.discard(message);
  }

  /** A connection is there: everything that waits is sent, from the earliest. */
  connected(): void {
    for (const lane of this.#lanes.values()) {
      lane.attempt = 0;
      lane.window = this.#around.settings.inFlightMax;
    }
    this.pump();
  }

  disconnected(): void {
    this.#stalled.clear();
    for (const lane of this.#lanes.values()) {
      this.#rewind(lane);
      this.#clearTimer(lane);
      if (lane.length === 0) this.#lanes.delete(lane.conversation);
    }
  }

  /** The server has other data than before: what was stored there is not the predecessor of anything. */
  forgetChains(): void {
    this.#chains.clear();
    for (const lane of this.#lanes.values()) lane.lastStored = undefined;
  }

  pump(): void {
    for (const lane of this.#lanes.values()) this.#pumpLane(lane);
  }

  #queue(message: LocalMessage): Sending {
    let lane = this.#lanes.get(message.conversation);
    if (lane === undefined) {
      lane = new Lane(message.conversation, this.#around.settings.inFlightMax);
      lane.lastStored = this.#chains.get(message.conversation);
      this.#lanes.set(message.conversation, lane);
    }
    const sending: Sending = { message, isDurable: false, requestId: 0, isUnchained: false };
    lane.push(sending);
    this.#sendings.set(messageKey(message), sending);
    return sending;
  }

  #pumpLane(lane: Lane): void {
    const { settings } = this.#around;
    if (lane.isPaused || !this.#around.isConnected()) return;
    while (lane.inFlight < lane.length && lane.inFlight < lane.window) {
      const sending = lane.at(lane.inFlight);
      if (!sending.isDurable) break;
      const bytes = sending.message.body.length;
      if (this.#bytesInFlight > 0 && this.#bytesInFlight + bytes > settings.inFlightBytesMax) {
        this.#stalled.add(lane);
        break;
      }
      this.#transmit(lane, sending);
    }
    if (lane.inFlight > 0 && lane.cancelTimer === undefined) this.#armResend(lane);
  }

  #transmit(lane: Lane, sending: Sending): void {
    const { conversation, clientMessageId, messageType, body } = sending.message;
    const after = sending.isUnchained ? undefined : lane.predecessor(lane.inFlight);
    lane.inFlight++;
    this.#bytesInFlight += body.length;
    sending.requestId = this.#around.requests.ask(
      { type: "send", conversation, clientMessageId, after, messageType, body },
      {
        reply: (reply, id) => {
          if (reply.type === "send.ok") this.#answered(sending, reply);
          else if (reply.type === "error" && id === sending.requestId) this.#refused(lane, sending, reply);
        },
        // The lane's own timer, or the next connection, sends it again.
        failed: () => undefined,
      },
    );
  }

  #answered(sending: Sending, reply: FrameNamed<"send.ok">): void {
    // The answer of an earlier transmission, too, is an answer.
    if (this.#sendings.get(messageKey(sending.message)) === sending)
      this.#stored(sending, reply.seq, reply.time);
  }

  #stored(sending: Sending, seq: number, time: number): void {
    const { conversation, clientMessageId } = sending.message;
    const lane = this.#lanes.get(conversation);
    if (lane === undefined) return;
    this.#release(lane, sending);
    lane.lastStored = clientMessageId;
    this.#chains.set(conversation, clientMessageId);
    lane.attempt = 0;
    lane.window = Math.min(lane.window + 1, this.#around.settings.inFlightMax);
    const stored: LocalMessage = { ...sending.message, status: "stored", seq, time };
    this.#around.write({ stored: [stored], chains: [[conversation, clientMessageId]] });
    this.#around.stored(stored);
    this.#progress(lane);
  }

  #refused(lane: Lane, sending: Sending, reply: FrameNamed<"error">): void {
    const error = asError(reply);
    // Who we are was settled by `connect`: this is about the connection, not about the message.
    if (error.code === "unauthorized") return this.#pause(lane, undefined);
    switch (errors[error.code].retry) {
      case "reorder":
        return this.#outOfOrder(lane, sending);
      case "never":
        return this.#fail(lane, sending, { code: error.code, message: error.message });
      case "later":
      case "renew":
        return this.#pause(lane, error.retryAfterMs);
    }
  }

  /**
   * A message before this one did not arrive: all are sent again from the earliest. Where this one is the earliest,
   * the one before was acknowledged but is unknown to the server (its keys have expired), so the chain starts here.
   */
  #outOfOrder(lane: Lane, sending: Sending): void {
    if (lane.at(0) === sending) {
      if (sending.isUnchained || lane.lastStored === undefined) return this.#pause(lane, undefined);
      sending.isUnchained = true;
    }
    this.#clearTimer(lane);
    this.#rewind(lane);
    lane.window = windowAfterLoss;
    this.#pumpLane(lane);
  }

  /** Refused for good: it is shown as failed, and the next message follows the one before it. */
  #fail(lane: Lane, sending: Sending, failure: SendFailure): void {
    this.#release(lane, sending);
    const failed: LocalMessage = { ...sending.message, status: "failed", failure };
    this.#failed.set(messageKey(failed), failed);
    this.#around.write({ outbox: [failed] });
    this.#clearTimer(lane);
    this.#rewind(lane);
    this.#progress(lane);
  }

  #pause(lane: Lane, retryAfterMs: number | undefined): void {
    this.#clearTimer(lane);
    this.#rewind(lane);
    lane.attempt++;
    lane.isPaused = true;
    const { clock, random, settings } = this.#around;
    const delayMs =
      retryAfterMs === undefined
        ? this.#resendDelayMs(lane.attempt)
        : retryAfterMs + random.next() * Math.min(retryAfterMs, settings.resendDelayMsMin);
    lane.cancelTimer = clock.setTimer(delayMs, () => {
      lane.cancelTimer = undefined;
      lane.isPaused = false;
      this.#pumpLane(lane);
    });
  }

  /** One timer per lane, looked at when it is due: a stream of answers moves `dueAt`, not the timer. */
  #armResend(lane: Lane): void {
    lane.dueAt = this.#around.clock.now() + this.#resendDelayMs(lane.attempt + 1);
    this.#waitForDue(lane);
  }

  #waitForDue(lane: Lane): void {
    const waitMs = Math.min(lane.dueAt - this.#around.clock.now(), this.#around.settings.resendDelayMsMax);
    lane.cancelTimer = this.#around.clock.setTimer(Math.max(1, waitMs), () => {
      lane.cancelTimer = undefined;
      if (lane.length === 0) return void this.#lanes.delete(lane.conversation);
      const leftMs = lane.dueAt - this.#around.clock.now();
      // More than the longest delay can only be a clock that jumped back.
      if (leftMs > 0 && leftMs <= this.#around.settings.resendDelayMsMax) return this.#waitForDue(lane);
      lane.attempt++;
      lane.window = windowAfterLoss;
      this.#rewind(lane);
      this.#pumpLane(lane);
    });
  }

  #resendDelayMs(attempt: number): number {
    const { random, settings } = this.#around;
    return resendDelayMs(random, attempt, {
      minMs: settings.resendDelayMsMin,
      firstMaxMs: settings.resendDelayMsFirstMax,
      maxMs: settings.resendDelayMsMax,
    });
  }

  /** Something was answered: the time starts anew for what is left, and what waited for room goes out. */
  #progress(lane: Lane): void {
    if (!lane.isPaused && lane.cancelTimer !== undefined)
      lane.dueAt = this.#around.clock.now() + this.#resendDelayMs(lane.attempt + 1);
    if (lane.length === 0 && lane.cancelTimer === undefined) this.#lanes.delete(lane.conversation);
    this.#pumpLane(lane);
    for (const stalled of this.#stalled) {
      this.#stalled.delete(stalled);
      this.#pumpLane(stalled);
      if (this.#stalled.has(stalled)) break;
    }
  }

  #release(lane: Lane, sending: Sending): void {
    const key = messageKey(sending.message);
    this.#sendings.delete(key);
    this.#recent.add(key);
    if (this.#recent.size > recentMax) this.#recent.delete(this.#recent.values().next().value as string);
    if (lane.remove(sending)) this.#bytesInFlight -= sending.message.body.length;
  }

  #rewind(lane: Lane): void {
    this.#bytesInFlight -= lane.rewind();
  }

  #clearTimer(lane: Lane): void {
    lane.cancelTimer?.();
    lane.cancelTimer = undefined;
    lane.isPaused = false;
  }
}
