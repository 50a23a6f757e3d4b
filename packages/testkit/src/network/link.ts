import {
  BadFrame,
  type CloseName,
  closeCodes,
  decodeFrame,
  decodeText,
  type Encoding,
  type Frame,
  FrameReader,
  type ProtocolError,
  SharedFrame,
  type UnknownFrame,
} from "@hongyan/protocol";
import type { DeviceId, LinkView } from "../checkers/observations.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { Conditions } from "./conditions.ts";
import { Pipe } from "./pipe.ts";

/** What a link tells the node's end. */
export interface ServerEnd {
  frame(frame: Frame | UnknownFrame): void;
  /** A frame that could not be read; a fatal one is the last. */
  bad(id: number, error: ProtocolError, fatal: boolean): void;
  /** Everything that was sent has been taken. */
  drained(): void;
  /** Exactly once, last. */
  closed(): void;
}

/** What a link tells the client's end. */
export interface ClientEnd {
  /** Binary: the next bytes, cut anywhere. Text: one JSON object. */
  received(data: Uint8Array | string): void;
  /** Exactly once, last; with the close code where the node has given one. */
  closed(code: number | undefined): void;
}

/** Sees every frame at both ends. */
export interface LinkWatch {
  up(link: Link, frame: Frame): void;
  written(link: Link, frame: Frame): void;
  down(link: Link, frame: Frame | UnknownFrame): void;
  /** May change or swallow what the node writes: for dropping a packet by hand and for planted bugs. */
  filterDown(link: Link, frame: Frame): boolean;
  filterUp(link: Link, frame: Frame): boolean;
}

export interface LinkOptions {
  readonly device: DeviceId;
  readonly encoding: Encoding;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly conditions: Conditions;
  readonly watch: LinkWatch;
  /** Bytes on their way that do not count as queued: what a kernel would have taken. */
  readonly windowBytes: number;
}

type EndState<E> =
  | { readonly name: "waiting" }
  | { readonly name: "open"; readonly end: E }
  | { readonly name: "closed" };

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** One connection between a device and the node: frames become bytes, travel, and become frames again. */
export class Link implements LinkView {
  readonly device: DeviceId;
  readonly encoding: Encoding;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #watch: LinkWatch;
  readonly #windowBytes: number;
  readonly up: Pipe;
  readonly down: Pipe;
  #client: EndState<ClientEnd> = { name: "waiting" };
  #server: EndState<ServerEnd> = { name: "waiting" };
  readonly #upReader: FrameReader;
  readonly #downReader: FrameReader;
  #wasFull = false;
  #isHeard = false;

  constructor(options: LinkOptions) {
    const { device, encoding, scheduler, random, conditions } = options;
    this.device = device;
    this.encoding = encoding;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#watch = options.watch;
    this.#windowBytes = options.windowBytes;
    this.up = new Pipe(scheduler, random.fork("up"), conditions, (bytes) => this.#receiveUp(bytes));
    this.down = new Pipe(scheduler, random.fork("down"), conditions, (bytes) => this.#receiveDown(bytes));
    this.#upReader = new FrameReader({
      frame: ({ frame }) => this.#toServer(frame),
      bad: (error) => this.#badAtServer(error),
    });
    // Beside the client's own reader, for whoever watches.
    this.#downReader = new FrameReader({
      frame: ({ frame }) => this.#watch.down(this, frame),
      bad: () => {},
    });
  }

  get isOpen(): boolean {
    return this.#client.name === "open" || this.#server.name === "open";
  }

  /** Whether the node has heard a command over it, other than `connect`, and believes in it. */
  get isUsedAtNode(): boolean {
    return this.#server.name === "open" && this.#isHeard;
  }

  get queuedBytes(): number {
    return Math.max(0, this.down.pendingBytes - this.#windowBytes);
  }

  attachClient(end: ClientEnd): void {
    this.#client = { name: "open", end };
  }

  attachServer(end: ServerEnd): void {
    this.#server = { name: "open", end };
  }

  // ── The client's end ─────────────────────────────────────────────────────────────────────────────────────────

  /** One frame, as the client has encoded it. */
  clientWrite(data: Uint8Array | string): void {
    if (this.#client.name !== "open") return;
    const frame = typeof data === "string" ? decodeText(data) : decodeFrame(data, 0, data.length).frame;
    if (frame.type === "unknown") throw new Error("the client has sent a frame of its own invention");
    this.#watch.up(this, frame);
    if (this.#watch.filterUp(this, frame))
      this.#send(this.up, typeof data === "string" ? utf8.encode(data) : data.slice());
  }

  clientClose(): void {
    if (this.#client.name !== "open") return;
    this.#client = { name: "closed" };
    this.down.end();
    // What was written before still arrives; then the node learns of the end.
    this.up.afterAll(() => this.#endServer());
  }

  // ── The node's end ───────────────────────────────────────────────────────────────────────────────────────────

  serverWrite(frame: SharedFrame): void {
    if (this.#server.name !== "open") return;
    if (!this.#watch.filterDown(this, frame.frame)) return;
    this.#send(this.down, frame.bytes(this.encoding));
    this.#wasFull ||= this.queuedBytes > 0;
    this.#watch.written(this, frame.frame);
  }

  serverClose(code: CloseName, retryAfterMs: number | undefined): void {
    if (this.#server.name !== "open") return;
    const { code: number, meaning } = closeCodes[code];
    this.serverWrite(new SharedFrame({ type: "close", id: 0, code: number, reason: meaning, retryAfterMs }));
    const { end } = this.#server;
    this.#server = { name: "closed" };
    this.up.end();
    this.#scheduler.after(0, () => end.closed());
    this.down.afterAll(() => this.#endClient(number));
  }

  // ── Faults ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The connection breaks; each end learns of it in its own time, or never (undefined). */
  cut(clientAfterMs: number | undefined, serverAfterMs: number | undefined): void {
    this.up.end();
    this.down.end();
    if (clientAfterMs !== undefined) this.#scheduler.after(clientAfterMs, () => this.#endClient());
    if (serverAfterMs !== undefined) this.#scheduler.after(serverAfterMs, () => this.#endServer());
  }

  /** One end is gone with its process: it is told nothing. */
  forget(end: "client" | "server"): void {
    if (end === "client") this.#client = { name: "closed" };
    else this.#server = { name: "closed" };
  }

  #endClient(code?: number): void {
    if (this.#client.name !== "open") return;
    const { end } = this.#client;
    this.#client = { name: "closed" };
    this.down.end();
    end.closed(code);
  }

  #endServer(): void {
    if (this.#server.name !== "open") return;
    const { end } = this.#server;
    this.#server = { name: "closed" };
    this.up.end();
    end.closed();
  }

  // ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A stream may cut a frame anywhere; a text message and a datagram stay whole. */
  #send(pipe: Pipe, bytes: Uint8Array): void {
    if (pipe.conditions.kind === "stream" && this.encoding !== "text" && this.#random.chance(0.05)) {
      const at = this.#random.between(1, bytes.length - 1);
      pipe.send(bytes.subarray(0, at));
      pipe.send(bytes.subarray(at));
    } else pipe.send(bytes);
  }

  #receiveUp(bytes: Uint8Array): void {
    if (this.#server.name !== "open") return;
    // The node may use the memory of a frame until the end of the tick, and not a moment longer.
    const memory = bytes.slice();
    if (this.encoding === "text") this.#textToServer(memory);
    else this.#upReader.push(memory);
    this.#scheduler.after(0, () => this.#scheduler.after(0, () => memory.fill(0x23)));
  }

  #receiveDown(bytes: Uint8Array): void {
    if (this.#wasFull && this.queuedBytes === 0) {
      this.#wasFull = false;
      if (this.#server.name === "open") this.#server.end.drained();
    }
    if (this.#client.name !== "open") return;
    if (this.encoding !== "text") {
      this.#downReader.push(bytes);
      return this.#client.end.received(bytes);
    }
    const json = text.decode(bytes);
    this.#watch.down(this, decodeText(json));
    this.#client.end.received(json);
  }

  #textToServer(bytes: Uint8Array): void {
    try {
      this.#toServer(decodeText(text.decode(bytes)));
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      this.#badAtServer(error);
    }
  }

  #toServer(frame: Frame | UnknownFrame): void {
    if (frame.type !== "connect") this.#isHeard = true;
    if (this.#server.name === "open") this.#server.end.frame(frame);
  }

  #badAtServer(error: BadFrame): void {
    if (this.#server.name === "open") this.#server.end.bad(error.id, error, error.fatal);
  }
}
