/** Everybody comes back at once, with no regard for the server but for what it says itself. */
import { decodeFrame, errors, type FrameNamed, protocolVersion } from "@hongyan/protocol";
import { Histogram, type Percentiles } from "../measure/histogram.ts";
import { mintToken } from "../process/tokens.ts";
import { type Connection, openConnection } from "../wire/connection.ts";
import { describe, encode, frameCode, typeOf } from "../wire/frame-bytes.ts";
import type { Receiver, Transport } from "../wire/receiver.ts";
import type { Trust } from "./client.ts";
import { type Nodes, portOf } from "./nodes.ts";
import { Run } from "./run.ts";

export interface StormInput extends Nodes {
  readonly transport: Transport;
  readonly trust: Trust;
  /** Client i is user `<prefix><i>`. */
  readonly prefix: string;
  readonly count: number;
  /** They acknowledge and read what waits for them: the next time nothing does. Absent: it is left. */
  readonly reads?: boolean;
}

export interface StormResult {
  /** Until the last one was signed in. */
  readonly connectedMs: number;
  /** Until the last one had also read its backlog. */
  readonly syncedMs: number;
  /** Each client's way from its first attempt to being signed in. */
  readonly connected: Percentiles;
  /** Attempts that the server sent away or that broke. */
  readonly refused: number;
}

const retryMsMax = 100;

class Returning implements Receiver {
  readonly #input: StormInput;
  readonly #index: number;
  readonly #storm: Storm;
  #connection: Connection | undefined;
  readonly #positions = new Map<string, number>();
  #retryAfterMs = 0;
  #isConnected = false;
  /** What the server has said last. */
  #goodbye = "";

  constructor(input: StormInput, index: number, storm: Storm) {
    this.#input = input;
    this.#index = index;
    this.#storm = storm;
  }

  dial(): void {
    const { transport } = this.#input;
    this.#connection = openConnection({ transport, port: portOf(this.#input, this.#index) }, this);
  }

  opened(): void {
    const user = `${this.#input.prefix}${this.#index}`;
    const token = this.#input.trust === "anybody" ? "none" : mintToken(this.#input.trust, user);
    this.#connection?.write(
      encode({ type: "connect", id: 1, version: protocolVersion, token, device: `d${this.#index}` }),
    );
  }

  frame(bytes: Buffer, start: number, end: number): void {
    switch (typeOf(bytes, start)) {
      case frameCode.connectOk:
        this.#isConnected = true;
        this.#storm.connected();
        this.#connection?.write(encode({ type: "sync", id: 2 }));
        return;
      case frameCode.message: {
        if (this.#input.reads !== true) return;
        const { conversation, seq } = decodeFrame(bytes, start, end).frame as FrameNamed<"message">;
        this.#positions.set(conversation, seq);
        return;
      }
      case frameCode.syncOk:
        return this.#synced(decodeFrame(bytes, start, end).frame as FrameNamed<"sync.ok">);
      case frameCode.readOk:
        return this.#storm.synced();
      case frameCode.close:
        this.#goodbye = describe(bytes, start, end);
        return;
      case frameCode.error: {
        const error = decodeFrame(bytes, start, end).frame as FrameNamed<"error">;
        if (error.code === errors.overloaded.code) this.#retryAfterMs = error.retryAfterMs ?? 0;
        else this.#storm.run.fail(`${error.name}: ${error.message}`);
      }
    }
  }

  #synced({ more }: FrameNamed<"sync.ok">): void {
    const positions = [...this.#positions];
    if (positions.length === 0) return this.#storm.synced();
    if (more) return this.#connection?.write(encode({ type: "sync", id: 2, positions }));
    this.#connection?.write(encode({ type: "ack", id: 3, positions }));
    this.#connection?.write(encode({ type: "read", id: 4, positions }));
  }

  closed(reason: string): void {
    if (this.#isConnected)
      return this.#storm.run.fail(`d${this.#index}: lost again: ${this.#goodbye || reason}`);
    this.#storm.refused++;
    setTimeout(() => this.dial(), this.#retryAfterMs > 0 ? this.#retryAfterMs : Math.random() * retryMsMax);
  }
}

class Storm {
  readonly run = new Run();
  readonly #startMs = performance.now();
  readonly histogram = new Histogram();
  refused = 0;
  connectedCount = 0;
  connectedMs = 0;
  syncedCount = 0;
  syncedMs = 0;

  connected(): void {
    this.connectedCount++;
    this.connectedMs = performance.now() - this.#startMs;
    this.histogram.record(this.connectedMs);
  }

  synced(): void {
    this.syncedCount++;
    this.syncedMs = performance.now() - this.#startMs;
  }
}

/** Connects all of them at the same moment, and counts until they are back. */
export async function returnAll(input: StormInput): Promise<StormResult> {
  const storm = new Storm();
  const clients = Array.from({ length: input.count }, (_, index) => new Returning(input, index, storm));
  for (const client of clients) client.dial();
  await storm.run.until("coming back", () => storm.syncedCount === input.count, 120_000);
  // They stay: the server is killed under them, or the process ends.
  storm.run.end();
  const { connectedMs, syncedMs, refused } = storm;
  return { connectedMs, syncedMs, refused, connected: storm.histogram.percentiles() };
}
