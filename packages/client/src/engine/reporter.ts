import { errors, limits, type Positions } from "@hongyan/protocol";
import type { Clock } from "../ports.ts";
import { asError, type Requests } from "./requests.ts";

const retryDelayMs = 1_000;

/**
 * Tells the server positions: step 4 of six (`ack`), and `read`. Cumulative and batched: only the highest position
 * of a conversation travels, after so many changes or so long. A position stays due until its command is answered.
 */
export class Reporter {
  readonly #type: "ack" | "read";
  readonly #clock: Clock;
  readonly #requests: Requests;
  readonly #changesMax: number;
  readonly #delayMs: number;
  readonly #isConnected: () => boolean;
  readonly #due = new Map<string, number>();
  /** What the server is known to have. */
  readonly #confirmed = new Map<string, number>();
  /** Something else carries positions at the moment: only what waits too long leaves by itself. */
  isCarried = false;
  #changes = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(
    type: "ack" | "read",
    around: { clock: Clock; requests: Requests; isConnected: () => boolean },
    { changesMax, delayMs }: { changesMax: number; delayMs: number },
  ) {
    this.#type = type;
    this.#clock = around.clock;
    this.#requests = around.requests;
    this.#isConnected = around.isConnected;
    this.#changesMax = changesMax;
    this.#delayMs = delayMs;
  }

  /** The position has moved by `changes` messages. */
  note(conversation: string, position: number, changes = 1): void {
    if (position <= (this.#confirmed.get(conversation) ?? 0)) return;
    this.#add(conversation, position, changes);
  }

  /** The server does not seem to know: it pushes what it was told. */
  again(conversation: string, position: number): void {
    this.#add(conversation, position, 1);
  }

  /** The server has said what it knows. */
  confirm(conversation: string, position: number): void {
    if (position > (this.#confirmed.get(conversation) ?? 0)) this.#confirmed.set(conversation, position);
    if ((this.#due.get(conversation) ?? 0) <= position) this.#due.delete(conversation);
  }

  /** The server's data are others. */
  forget(): void {
    this.#due.clear();
    this.#confirmed.clear();
  }

  /** A connection is there: what is due leaves. */
  connected(): void {
    if (this.#due.size > 0) this.flush();
  }

  disconnected(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#changes = 0;
  }

  /** Due positions for a command that carries them along; whoever takes them answers with `settle`. */
  take(): Positions {
    const positions: [string, number][] = [];
    for (const pair of this.#due) {
      if (positions.length >= limits.positionsMax) break;
      positions.push(pair);
    }
    for (const [conversation] of positions) this.#due.delete(conversation);
    return positions;
  }

  /** What became of positions that were taken. */
  settle(positions: Positions, isDone: boolean): void {
    for (const [conversation, position] of positions) {
      if (isDone) this.confirm(conversation, position);
      else if ((this.#due.get(conversation) ?? 0) < position) this.#due.set(conversation, position);
    }
  }

  /** Sends everything that is due now. */
  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#changes = 0;
    while (this.#due.size > 0 && this.#isConnected()) this.#sendBatch();
  }

  #add(conversation: string, position: number, changes: number): void {
    if (position > (this.#due.get(conversation) ?? 0)) this.#due.set(conversation, position);
    this.#changes += changes;
    if (!this.#isConnected()) return;
    if (this.#changes >= this.#changesMax && !this.isCarried) this.flush();
    else this.#wait(this.#delayMs);
  }

  #wait(ms: number): void {
    this.#cancelTimer ??= this.#clock.setTimer(ms, () => {
      this.#cancelTimer = undefined;
      this.flush();
    });
  }

  #sendBatch(): void {
    const positions = this.take();
    this.#requests.ask(
      { type: this.#type, positions },
      {
        reply: (reply) => {
          if (reply.type !== "error") return this.settle(positions, true);
          const error = asError(reply);
          // Refused for good can only be a conversation that is gone; the next `list` says what is true.
          if (errors[error.code].retry === "never") return;
          this.settle(positions, false);
          this.#wait(error.retryAfterMs ?? retryDelayMs);
        },
        failed: (why) => {
          this.settle(positions, false);
          if (why === "timeout" && this.#isConnected()) this.#wait(retryDelayMs);
        },
      },
    );
  }
}
