/** The process of one user that asks commands, as its parent sees it. */
import { median } from "../measure/statistics.ts";
import { Child } from "../process/child.ts";
import type { Server } from "../process/server.ts";
import type { Seat } from "./commander.ts";
import type { Timed } from "./main.ts";

export class GrowthProcess extends Child {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    super(new URL("./main.ts", import.meta.url));
    this.#seat = seat;
  }

  /** Signs in and reads everything; how long that took, and how many messages there were. */
  async open(): Promise<{ ms: number; messages: number }> {
    return (await this.call<{ ms: number; messages: number }>("open", this.#seat)).result;
  }

  async close(): Promise<void> {
    await this.call("close");
  }

  send(conversation: string, ms: number): Promise<number> {
    return this.#count("send", { conversation, ms });
  }

  async sendToEach(conversations: readonly string[]): Promise<void> {
    await this.call("sendToEach", { conversations });
  }

  /** Acknowledges so many messages one by one. */
  async ack(conversation: string, from: number, count: number): Promise<number> {
    await this.call("ack", { conversation, from, count });
    return count;
  }

  /** Adds a member and removes it again; how many changes that were. */
  change(conversation: string, user: string, ms: number): Promise<number> {
    return this.#count("change", { conversation, user, ms });
  }

  /** Milliseconds of one page, the median of so many. */
  history(conversation: string, before: number, limit: number, times: number): Promise<number> {
    return this.#time({ type: "history", conversation, before, limit }, times);
  }

  list(limit: number, times: number): Promise<number> {
    return this.#time({ type: "list", limit }, times);
  }

  async #time(command: Timed, times: number): Promise<number> {
    return median((await this.call<{ ms: number[] }>("time", { command, times })).result.ms);
  }

  async #count(job: string, input: object): Promise<number> {
    return (await this.call<{ count: number }>(job, input)).result.count;
  }
}

export function growthProcess(server: Server, user: string, pulls = true): GrowthProcess {
  const { tcpPort: port, signer: trust } = server;
  return new GrowthProcess({ port, transport: "tcp", trust, user, device: "d", pulls });
}
