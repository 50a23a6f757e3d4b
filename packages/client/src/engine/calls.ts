import { errors, ProtocolError } from "@hongyan/protocol";
import type { Clock } from "../ports.ts";
import { type Answer, NoAnswer, type Request, type Requests } from "./requests.ts";

const retryDelayMs = 500;

interface Call {
  readonly request: Request;
  readonly deadline: number;
  isOver: boolean;
  /** Settles the caller's promise and takes the timer back; only the first time counts. */
  end(outcome: { answer: Answer } | { error: unknown }): void;
}

/**
 * Commands of the application. They wait for a connection and are sent again when it is lost under them: each
 * of them may be carried out twice without harm. After `timeoutMs` the caller is told.
 */
export class Calls {
  readonly #clock: Clock;
  readonly #requests: Requests;
  readonly #timeoutMs: number;
  readonly #isConnected: () => boolean;
  readonly #waiting = new Set<Call>();

  constructor(clock: Clock, requests: Requests, timeoutMs: number, isConnected: () => boolean) {
    this.#clock = clock;
    this.#requests = requests;
    this.#timeoutMs = timeoutMs;
    this.#isConnected = isConnected;
  }

  call(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call: Call = {
        request,
        deadline: this.#clock.now() + this.#timeoutMs,
        isOver: false,
        end: (outcome) => {
          if (call.isOver) return;
          call.isOver = true;
          this.#waiting.delete(call);
          cancel();
          if ("answer" in outcome) resolve(outcome.answer);
          else reject(outcome.error);
        },
      };
      const cancel = this.#clock.setTimer(this.#timeoutMs, () =>
        call.end({
          error: new ProtocolError("unavailable", "there was no connection, or no answer in time"),
        }),
      );
      void this.#run(call);
    });
  }

  connected(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const call of waiting) void this.#run(call);
  }

  /** The client stops: nobody will answer. */
  stop(): void {
    for (const call of [...this.#waiting])
      call.end({ error: new ProtocolError("unavailable", "the client was stopped") });
  }

  async #run(call: Call): Promise<void> {
    while (!call.isOver) {
      if (!this.#isConnected()) return void this.#waiting.add(call);
      try {
        // The type of the answer is the caller's business.
        return call.end({ answer: await this.#requests.request<"ping">(call.request as PingRequest) });
      } catch (error) {
        if (error instanceof NoAnswer) continue;
        const isLater = error instanceof ProtocolError && errors[error.code].retry === "later";
        const delayMs = (isLater ? error.retryAfterMs : undefined) ?? retryDelayMs;
        if (!isLater || this.#clock.now() + delayMs >= call.deadline) return call.end({ error });
        await new Promise<void>((resolve) => this.#clock.setTimer(delayMs, resolve));
      }
    }
  }
}

type PingRequest = Extract<Request, { type: "ping" }>;
