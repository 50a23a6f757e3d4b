import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import { type CloseName, closeCodes } from "@hongyan/protocol";
import type { Line } from "../frame-connection.ts";
import type { Linger } from "../linger.ts";
import { OutgoingQueue, type QueueContext, type QueueOwner } from "../outgoing-queue.ts";
import { copyBytesMax } from "../packing.ts";
import { own, type SocketOwner } from "../socket-owner.ts";
import { type FaultCode, MessageReader, type MessageSink, type ReaderContext } from "./message-reader.ts";
import { closeFrameBytes, frameHeader, opcode, wholeFrame } from "./wire.ts";

/** Who uses a WebSocket connection: Hongyan's own frames, or anything else. */
export interface WebSocketHandler {
  onMessage(data: Uint8Array, isText: boolean): void;
  /** Everything was taken by the peer, after more than the limit had been waiting. */
  onDrained(): void;
  /** The connection is gone; nothing follows. */
  onClosed(): void;
}

/** What all peers of a listener share. */
export interface PeerContext extends QueueContext, ReaderContext {
  readonly linger: Linger;
  /** A connection is gone. */
  readonly gone: () => void;
}

/**
 * The closing handshake (RFC 6455, section 7).
 *
 *     open ──close()──▶ closing ──their close frame──▶ ended
 *       └──their close frame, a fault of theirs, end of stream──▶ ended
 *
 * `closing`: our close frame is out, theirs is awaited; their messages are ignored. `ended`: all is said, the socket
 * is ended from our side. In both a socket that stays is destroyed after the linger time.
 */
type State = "open" | "closing" | "ended";

/** Pongs are not queued for a peer that lets more than this wait; it may be answered for a later ping. */
const pongAboveBytesMax = 64 * 1024;

/** The server's end of one WebSocket connection, on an upgraded socket. */
export class WebSocketPeer implements Line, MessageSink, QueueOwner, SocketOwner {
  readonly queue: OutgoingQueue;
  readonly #context: PeerContext;
  readonly #socket: Socket;
  readonly #reader: MessageReader;
  #handler: WebSocketHandler | undefined;
  #state: State = "open";

  constructor(context: PeerContext, socket: Socket) {
    this.#context = context;
    this.#socket = socket;
    this.queue = new OutgoingQueue(context, socket, this, "text");
    this.#reader = new MessageReader(this, context);
  }

  /** Begins to read; `head` came together with the handshake. */
  open(handler: WebSocketHandler, head: Uint8Array): void {
    this.#handler = handler;
    own(this.#socket, this);
    if (head.length > 0) this.onData(head);
  }

  /** Sends a message. A large payload is not copied and must not change afterwards. */
  send(payload: Uint8Array, isText: boolean): void {
    const code = isText ? opcode.text : opcode.binary;
    if (payload.length < copyBytesMax) return this.queue.write(wholeFrame(code, payload));
    this.queue.write(frameHeader(code, payload.length));
    this.queue.write(payload);
  }

  /** Begins the closing handshake; `reason` has at most 123 bytes. */
  close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.queue.write(closeFrameBytes(code, reason));
    this.queue.flushAll();
    this.#context.linger.add(this.#socket);
  }

  finish(code: CloseName): void {
    this.close(closeCodes[code].code, code);
  }

  // ── What arrives ───────────────────────────────────────────────────────────────────────────────────────────────

  onData(chunk: Uint8Array): void {
    this.#context.traffic.bytesIn += chunk.length;
    if (this.#state !== "ended") this.#reader.push(chunk);
  }

  onMessage(data: Uint8Array, isText: boolean): void {
    if (this.#state === "open") this.#handler?.onMessage(data, isText);
  }

  onControl(code: number, payload: Uint8Array): void {
    if (code === opcode.close) this.#onCloseFrame(payload);
    else if (code === opcode.ping && this.#state === "open" && this.queue.bufferedBytes < pongAboveBytesMax) {
      this.queue.write(wholeFrame(opcode.pong, payload));
    }
  }

  onFault(code: FaultCode, reason: string): void {
    if (this.#state === "open") this.queue.write(closeFrameBytes(code, reason));
    this.#end();
  }

  /** Answers their close frame, unless it is the answer to ours, and ends the connection. */
  #onCloseFrame(payload: Uint8Array): void {
    const fault = closeFault(payload);
    if (fault !== undefined) return this.onFault(fault, "the close frame is not valid");
    const code = payload.length === 0 ? undefined : closeCode(payload);
    if (this.#state === "open") this.queue.write(closeFrameBytes(code, ""));
    this.#end();
  }

  #end(): void {
    this.#state = "ended";
    this.#reader.stop();
    this.queue.finish();
    this.#context.linger.add(this.#socket);
  }

  // ── From the socket and the queue ──────────────────────────────────────────────────────────────────────────────

  onSocketDrain(): void {
    this.queue.onSocketDrain();
  }

  onDrained(): void {
    if (this.#state === "open") this.#handler?.onDrained();
  }

  onEnd(): void {
    this.#end();
  }

  onSocketClose(): void {
    this.#state = "ended";
    this.#reader.stop();
    this.queue.discard();
    this.#context.linger.remove(this.#socket);
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onClosed();
    this.#context.gone();
  }
}

function closeCode(payload: Uint8Array): number {
  return ((payload[0] as number) << 8) | (payload[1] as number);
}

function closeFault(payload: Uint8Array): FaultCode | undefined {
  if (payload.length === 0) return undefined;
  if (payload.length === 1 || !mayBeSent(closeCode(payload))) return 1002;
  return isUtf8(payload.subarray(2)) ? undefined : 1007;
}

/** Codes that may stand in a close frame (RFC 6455, section 7.4, and the registry it founded). */
function mayBeSent(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
