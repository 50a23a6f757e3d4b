import type { ServerResponse } from "node:http";
import type { Encoding } from "@hongyan/protocol";
import type { Traffic } from "../traffic.ts";
import type { Answerer } from "./answer.ts";
import type { Backlog, Page } from "./backlog.ts";
import type { HeldConnection, Outlet } from "./held-connection.ts";
import { ownResponse, type ResponseOwner } from "./outlet-response.ts";

export interface PollContext {
  readonly answerer: Answerer;
  readonly traffic: Traffic;
  /** Bytes of frames in one answer; what does not fit comes with the next. */
  readonly answerBytesMax: number;
}

/**
 * A request that is held until there are frames after `after`, or its time is over. It forgets nothing: whether the
 * answer arrived is known when the next request names a higher `after`.
 */
export class Poll implements Outlet, ResponseOwner {
  readonly transport = "poll";
  readonly #context: PollContext;
  readonly #connection: HeldConnection;
  readonly #response: ServerResponse;
  readonly #after: number;
  readonly #untilMs: number;
  #answerBytes = 0;

  constructor(
    context: PollContext,
    connection: HeldConnection,
    response: ServerResponse,
    after: number,
    untilMs: number,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#response = response;
    this.#after = after;
    this.#untilMs = untilMs;
    ownResponse(response, this);
  }

  deliver(backlog: Backlog): void {
    if (backlog.last > this.#after) this.#answer(backlog.read(this.#after, this.#context.answerBytesMax));
  }

  release(): void {
    this.#answer({ frames: [], last: this.#after });
  }

  wait(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }

  get unsentBytes(): number {
    return this.#answerBytes;
  }

  abandon(): void {
    this.#response.destroy();
  }

  onResponseClose(): void {
    this.#connection.ended(this);
  }

  onResponseDrain(): void {}

  #answer(page: Page): void {
    this.#connection.detach(this);
    const { answerer, traffic } = this.#context;
    const { encoding } = this.#connection;
    const body = encoding === "text" ? jsonBody(page) : Buffer.concat(page.frames);
    traffic.bytesOut += body.length;
    this.#answerBytes = body.length;
    answerer.answer(this.#response, 200, headersOf(encoding, page.last), body);
  }
}

const comma = Buffer.from(",");
const end = Buffer.from("]}");

function jsonBody({ frames, last }: Page): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`{"after":${last},"frames":[`)];
  for (let i = 0; i < frames.length; i++) {
    if (i > 0) pieces.push(comma);
    pieces.push(frames[i] as Uint8Array);
  }
  pieces.push(end);
  return Buffer.concat(pieces);
}

function headersOf(encoding: Encoding, after: number): Record<string, string> {
  if (encoding === "text") return { "Content-Type": "application/json" };
  return { "Content-Type": "application/octet-stream", "Hongyan-After": String(after) };
}
