import type { ServerResponse } from "node:http";
import type { Traffic } from "../traffic.ts";
import type { Answerer } from "./answer.ts";
import type { Backlog, Page } from "./backlog.ts";
import type { HeldConnection, Outlet } from "./held-connection.ts";
import { ownResponse, type ResponseOwner } from "./outlet-response.ts";

export interface StreamContext {
  readonly answerer: Answerer;
  readonly traffic: Traffic;
  /** A comment is sent so often, so that nothing on the way takes the stream for dead. */
  readonly streamHeartbeatMs: number;
}

/** Frames handed to the response at once; more wait until there is room. */
const writeBytesMax = 64 * 1024;
/** A stream that is over and not taken for so long is cut off. */
const endMsMax = 30_000;
const heartbeat = ":\n\n";

/** Server-sent events: frames go out as they come, numbered, and stay in the backlog until they are acknowledged. */
export class EventStream implements Outlet, ResponseOwner {
  readonly transport = "stream";
  readonly #context: StreamContext;
  readonly #connection: HeldConnection;
  readonly #response: ServerResponse;
  /** Number of the last frame that was written. */
  #sent: number;
  #heartbeatAtMs: number;

  constructor(
    context: StreamContext,
    connection: HeldConnection,
    response: ServerResponse,
    after: number,
    nowMs: number,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#response = response;
    this.#sent = after;
    this.#heartbeatAtMs = nowMs + context.streamHeartbeatMs;
    ownResponse(response, this);
    // `X-Accel-Buffering`: Nginx must not collect the stream.
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
      ...context.answerer.crossOrigin(response.req),
    });
    response.write(heartbeat);
  }

  deliver(backlog: Backlog, isOver: boolean): void {
    while (this.#sent < backlog.last && !this.#response.writableNeedDrain && !this.#response.destroyed) {
      // Acknowledged frames were received, on another request then: they need not be sent here.
      const page = backlog.read(this.#sent, writeBytesMax);
      const bytes = events(page);
      this.#sent = page.last;
      this.#context.traffic.bytesOut += bytes.length;
      this.#response.write(bytes);
    }
    if (isOver && this.#sent === backlog.last) this.release();
  }

  release(): void {
    this.#connection.detach(this);
    this.#response.end();
    // What is on its way to somebody who does not read would wait for ever.
    this.#response.setTimeout(endMsMax, () => this.#response.destroy());
  }

  wait(nowMs: number): boolean {
    if (nowMs < this.#heartbeatAtMs) return true;
    this.#heartbeatAtMs = nowMs + this.#context.streamHeartbeatMs;
    if (!this.#response.writableNeedDrain) this.#response.write(heartbeat);
    return true;
  }

  get unsentBytes(): number {
    return this.#response.writableLength;
  }

  abandon(): void {
    this.#response.destroy();
  }

  onResponseClose(): void {
    this.#connection.ended(this);
  }

  onResponseDrain(): void {
    this.deliver(this.#connection.backlog, this.#connection.isOver);
  }
}

const newline = Buffer.from("\n\n");

/** JSON has no line breaks, so that a frame is one `data` line. */
function events({ frames, last }: Page): Buffer {
  const first = last - frames.length + 1;
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < frames.length; i++) {
    pieces.push(Buffer.from(`id: ${first + i}\ndata: `), frames[i] as Uint8Array, newline);
  }
  return Buffer.concat(pieces);
}
