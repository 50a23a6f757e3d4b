import type { Command, FrameNamed, Push, Reply } from "@hongyan/protocol";
import { errorName, ProtocolError } from "@hongyan/protocol";
import type { Clock } from "../ports.ts";

/** A command without its id. */
export type Request = Command extends infer C ? (C extends Command ? Omit<C, "id"> : never) : never;

export type ReplyFailure = "timeout" | "lost";

/** Who waits for the answer of one command. */
export interface Waiter {
  /** A push that carries the command's id. */
  item?(frame: Push): void;
  reply(frame: Reply, id: number): void;
  /** No answer came: in time, or before the connection ended. Whether the command took effect is open. */
  failed(why: ReplyFailure, id: number): void;
}

/** What a command brought: its reply, and the items before it. */
export interface Answer<R extends Reply = Reply> {
  readonly reply: R;
  readonly items: readonly Push[];
}

/** No answer: the command can be sent again on the next connection. */
export class NoAnswer extends Error {
  readonly why: ReplyFailure;

  constructor(why: ReplyFailure) {
    super(why === "timeout" ? "no answer in time" : "the connection was lost");
    this.name = "NoAnswer";
    this.why = why;
  }
}

interface Pending {
  readonly waiter: Waiter;
  readonly deadline: number;
}

/** Commands without an answer yet, by id. All have the same time, so the oldest is the next to run out: one timer for all. */
export class Requests {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #send: (frame: Command) => void;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, timeoutMs: number, send: (frame: Command) => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#send = send;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Sends the command and returns its id. */
  ask(request: Request, waiter: Waiter): number {
    do this.#lastId = this.#lastId >= 0xffffffff ? 1 : this.#lastId + 1;
    while (this.#pending.has(this.#lastId));
    const id = this.#lastId;
    this.#pending.set(id, { waiter, deadline: this.#clock.now() + this.#timeoutMs });
    this.#send({ ...request, id } as Command);
    this.#cancelTimer ??= this.#clock.setTimer(this.#timeoutMs, this.#expire);
    return id;
  }

  /** The same as a promise. Rejects with `ProtocolError` (an `error` reply) or `NoAnswer`. */
  request<T extends Request["type"]>(
    request: Extract<Request, { type: T }>,
  ): Promise<Answer<FrameNamed<`${T}.ok` & Reply["type"]>>> {
    return new Promise((resolve, reject) => {
      const items: Push[] = [];
      this.ask(request, {
        item: (frame) => void items.push(frame),
        reply: (reply) => {
          if (reply.type === "error") return reject(asError(reply));
          if (reply.type !== `${request.type}.ok`)
            return reject(new ProtocolError("internal", `${request.type} was answered by ${reply.type}`));
          resolve({ reply: reply as FrameNamed<`${T}.ok` & Reply["type"]>, items });
        },
        failed: (why) => reject(new NoAnswer(why)),
      });
    });
  }

  /** Hands a frame with an id to its waiter; a second answer to the same command finds nobody, and is dropped. */
  receive(frame: Reply | Push, isReply: boolean): void {
    const pending = this.#pending.get(frame.id);
    if (pending === undefined) return;
    if (!isReply) return pending.waiter.item?.(frame as Push);
    this.#pending.delete(frame.id);
    pending.waiter.reply(frame as Reply, frame.id);
  }

  /** The connection has ended: nothing of it will be answered. */
  fail(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const [id, { waiter }] of pending) waiter.failed("lost", id);
  }

  readonly #expire = (): void => {
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    const late: [number, Pending][] = [];
    for (const row of this.#pending) {
      // A clock that jumped back only makes it wait longer once.
      if (row[1].deadline > now && row[1].deadline <= now + this.#timeoutMs) break;
      late.push(row);
    }
    for (const [id] of late) this.#pending.delete(id);
    for (const [id, { waiter }] of late) waiter.failed("timeout", id);
    const next = this.#pending.values().next().value;
    if (next !== undefined && this.#cancelTimer === undefined)
      this.#cancelTimer = this.#clock.setTimer(Math.max(1, next.deadline - now), this.#expire);
  };
}

export function asError(reply: FrameNamed<"error">): ProtocolError {
  return new ProtocolError(errorName(reply.code), reply.message, reply.retryAfterMs);
}
