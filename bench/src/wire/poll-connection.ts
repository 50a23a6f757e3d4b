/**
 * Frames over HTTP long poll: one exchange is held for what comes down, another carries what goes up, one request at
 * a time each. A poll whose response was lost is asked again with the same `after`.
 */

import { HttpExchange, type Response } from "./http-exchange.ts";
import { Outgoing } from "./outgoing.ts";
import { deliverFrames, type Endpoint, type Receiver } from "./receiver.ts";

/** Polls that may fail one after another before the connection counts as lost. */
const failuresMax = 2;

type State = { at: "new" } | { at: "creating" } | { at: "open"; path: string } | { at: "closed" };

export class PollConnection extends Outgoing {
  readonly #receiver: Receiver;
  readonly #up: HttpExchange;
  readonly #down: HttpExchange;
  #state: State = { at: "new" };
  #after = 0;
  #failures = 0;

  constructor(endpoint: Endpoint, receiver: Receiver) {
    super(0);
    this.#receiver = receiver;
    this.#up = new HttpExchange(endpoint.port, {
      response: (response) => this.#answered(response),
      failed: (reason) => this.#end(`upload: ${reason}`),
    });
    this.#down = new HttpExchange(endpoint.port, {
      response: (response) => this.#polled(response),
      failed: (reason) => this.#retry(reason),
    });
    setImmediate(() => {
      if (this.#state.at === "new") receiver.opened();
    });
  }

  close(): void {
    this.#state = { at: "closed" };
    this.#up.close();
    this.#down.close();
  }

  /** While an upload is open, frames wait for its answer: the order of requests is the order of frames. */
  protected override transmit(): void {
    if (this.#state.at === "closed") return this.taken(true);
    if (this.#up.isBusy || this.#state.at === "creating") return;
    let path = "/v1/connections";
    if (this.#state.at === "open") path = this.#state.path;
    else this.#state = { at: "creating" };
    this.#up.request("POST", path, this.out.subarray(0, this.length));
    this.taken(true);
  }

  #answered(response: Response): void {
    if (this.#state.at === "creating" && response.status === 201) {
      const { connection } = JSON.parse(response.bytes.toString("utf8", response.start, response.end)) as {
        connection: string;
      };
      this.#state = { at: "open", path: `/v1/connections/${connection}` };
      this.#poll();
    } else if (this.#state.at !== "open" || response.status !== 204) {
      return this.#end(`upload answered ${response.status} ${text(response)}`);
    }
    if (this.length > 0) this.transmit();
  }

  #poll(): void {
    if (this.#state.at === "open")
      this.#down.request("GET", `${this.#state.path}?after=${this.#after}`, undefined);
  }

  #polled(response: Response): void {
    if (response.status !== 200 || response.after < 0)
      return this.#end(`poll answered ${response.status} ${text(response)}`);
    this.#failures = 0;
    this.#after = response.after;
    if (deliverFrames(this.#receiver, response.bytes, response.start, response.end) !== response.end) {
      return this.#end("a poll ends inside a frame");
    }
    this.#receiver.settled?.();
    this.#poll();
  }

  #retry(reason: string): void {
    if (++this.#failures > failuresMax) return this.#end(`poll: ${reason}`);
    setTimeout(() => this.#poll(), 20 * this.#failures);
  }

  #end(reason: string): void {
    if (this.#state.at === "closed") return;
    this.close();
    this.#receiver.closed(reason);
  }
}

function text(response: Response): string {
  return response.bytes.toString("utf8", response.start, Math.min(response.end, response.start + 300));
}
