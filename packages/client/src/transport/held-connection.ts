import type { EncodedFrame, TransportConnection, TransportEvents } from "../ports.ts";
import { joined } from "./websocket.ts";

/** Time for an upload to be answered. */
const uploadTimeoutMs = 15_000;
/** A body that `fetch` may still send while the page goes away. */
const keepaliveBytesMax = 32 * 1024;

/** How frames come down; one of the two ways over HTTP. */
export interface Downstream {
  /** Reads until `signal`; rejects where the connection is lost. */
  read(url: string, progress: Progress, events: TransportEvents, signal: AbortSignal): Promise<void>;
}

/** The number of the last frame received: whatever asks next acknowledges it. */
export interface Progress {
  after: number;
}

/**
 * A virtual connection over HTTP, the half that long poll and event stream share: frames go up by POST, one
 * request at a time so that their order is theirs, and what gathers meanwhile goes with the next one.
 */
export class HeldConnection implements TransportConnection {
  readonly #base: string;
  readonly #mode: "binary" | "text";
  readonly #downstream: Downstream;
  readonly #events: TransportEvents;
  readonly #progress: Progress = { after: 0 };
  readonly #abort = new AbortController();
  #queue: EncodedFrame[] = [];
  #url: string | undefined;
  #isUploading = false;
  #isOver = false;

  constructor(base: string, mode: "binary" | "text", downstream: Downstream, events: TransportEvents) {
    this.#base = `${base}/v1/connections`;
    this.#mode = mode;
    this.#downstream = downstream;
    this.#events = events;
    // There is nothing to open: the first frames open it.
    queueMicrotask(() => {
      if (!this.#isOver) events.opened();
    });
  }

  send(frames: readonly EncodedFrame[]): void {
    if (this.#isOver) return;
    this.#queue.push(...frames);
    void this.#upload();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#farewell();
  }

  async #upload(): Promise<void> {
    if (this.#isUploading || this.#queue.length === 0) return;
    this.#isUploading = true;
    try {
      while (this.#queue.length > 0 && !this.#isOver) {
        const frames = this.#queue;
        this.#queue = [];
        await this.#post(frames);
      }
    } catch (error) {
      // Whether the frames arrived is open: this connection cannot go on in order.
      this.#end(error instanceof Error ? error.message : String(error));
    }
    this.#isUploading = false;
  }

  async #post(frames: readonly EncodedFrame[]): Promise<void> {
    const isFirst = this.#url === undefined;
    const url = this.#url === undefined ? this.#base : `${this.#url}?after=${this.#progress.after}`;
    const timeout = AbortSignal.timeout(uploadTimeoutMs);
    const response = await fetch(url, {
      method: "POST",
      signal: AbortSignal.any([this.#abort.signal, timeout]),
      ...this.#content(frames),
    });
    if (!response.ok) throw new Error(`the server answered ${response.status} to an upload`);
    if (!isFirst) return void (await response.arrayBuffer());
    const { connection } = (await response.json()) as { connection?: unknown };
    if (typeof connection !== "string") throw new Error("the server answered without a connection id");
    this.#url = `${this.#base}/${encodeURIComponent(connection)}`;
    if (!this.#isOver) void this.#read(this.#url);
  }

  #content(frames: readonly EncodedFrame[]): {
    headers: Record<string, string>;
    body: string | Uint8Array<ArrayBuffer>;
  } {
    if (this.#mode === "text")
      return { headers: { "content-type": "application/json" }, body: `[${frames.join(",")}]` };
    return { headers: { "content-type": "application/octet-stream" }, body: joined(frames) };
  }

  async #read(url: string): Promise<void> {
    const events: TransportEvents = {
      opened: () => undefined,
      received: (data) => {
        if (!this.#isOver) this.#events.received(data);
      },
      closed: ({ reason }) => this.#end(reason),
    };
    try {
      await this.#downstream.read(url, this.#progress, events, this.#abort.signal);
      this.#end("the server ended the connection");
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort();
    this.#events.closed({ reason });
  }

  /** Last words, then the end. Both may fail: the server ends a connection that is not polled by itself. */
  async #farewell(): Promise<void> {
    const url = this.#url;
    const frames = this.#queue;
    this.#queue = [];
    try {
      if (url === undefined) return;
      const content = this.#content(frames);
      const keepalive = content.body.length < keepaliveBytesMax;
      if (frames.length > 0) await fetch(url, { method: "POST", keepalive, ...content });
      await fetch(url, { method: "DELETE", keepalive: true });
    } catch {
      // Nobody is left to tell.
    } finally {
      this.#abort.abort();
    }
  }
}

/** Thrown where asking again cannot help: the server does not know the connection any more. */
export class ConnectionGone extends Error {}

/** Resolves after `ms`, or rejects with the end of the connection. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(new Error("closed"));
      },
      { once: true },
    );
  });
}
