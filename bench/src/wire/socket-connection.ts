/**
 * Frames over raw TCP or WebSocket. It knows just enough to cost little: frames are handed on as ranges of the read
 * buffer, and only a frame whose end has not come yet is copied.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { openLeanSocket } from "./lean-socket.ts";
import { Outgoing } from "./outgoing.ts";
import { deliverFrames, type Endpoint, type Receiver } from "./receiver.ts";
import {
  clientHeaderBytesMax,
  readServerFrame,
  type ServerFrame,
  writeClientHeader,
} from "./websocket-frame.ts";

const nothing = Buffer.alloc(0);
const frame: ServerFrame = { opcode: 0, final: false, start: 0, end: 0 };

type State = "connecting" | "upgrading" | "open" | "closed";

export class SocketConnection extends Outgoing {
  readonly #receiver: Receiver;
  readonly #socket: Socket;
  readonly #isWebSocket: boolean;
  #state: State = "connecting";
  /** Bytes of a frame (of either kind) whose end has not come yet. */
  #carry = nothing;

  constructor(endpoint: Endpoint, receiver: Receiver) {
    super(endpoint.transport === "websocket" ? clientHeaderBytesMax : 0);
    this.#receiver = receiver;
    this.#isWebSocket = endpoint.transport === "websocket";
    this.#socket = openLeanSocket(endpoint.port, {
      connected: () => this.#connected(),
      read: (bytes, count) => this.#read(bytes, count),
      lost: (reason) => this.#end(reason),
    });
  }

  /** With a reset: a port of each of many thousand connections would otherwise wait for a minute. */
  close(): void {
    this.#state = "closed";
    this.#socket.resetAndDestroy();
  }

  protected override transmit(): void {
    if (this.#state !== "open") return this.taken(true);
    const from = this.#isWebSocket ? writeClientHeader(this.out, this.length) : 0;
    this.#socket.write(this.out.subarray(from, this.length));
    // Where the kernel has taken everything at once, nobody holds the buffer any more.
    this.taken(this.#socket.writableLength === 0);
  }

  #connected(): void {
    if (this.#state !== "connecting") return;
    if (!this.#isWebSocket) return this.#open();
    this.#state = "upgrading";
    const key = randomBytes(16).toString("base64");
    this.#socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  }

  #open(): void {
    this.#state = "open";
    this.#receiver.opened();
  }

  #end(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#socket.destroy();
    this.#receiver.closed(reason);
  }

  #read(buffer: Buffer, count: number): void {
    let bytes = buffer;
    let end = count;
    if (this.#carry.length > 0) {
      bytes = Buffer.concat([this.#carry, buffer.subarray(0, count)]);
      end = bytes.length;
      this.#carry = nothing;
    }
    let at = 0;
    if (this.#state === "upgrading") at = this.#upgraded(bytes, end);
    if (this.#state === "open") {
      at = this.#isWebSocket ? this.#messages(bytes, at, end) : deliverFrames(this.#receiver, bytes, at, end);
      this.#receiver.settled?.();
    }
    if (at < end && this.#state !== "closed") this.#carry = Buffer.from(bytes.subarray(at, end));
  }

  #upgraded(bytes: Buffer, end: number): number {
    const head = bytes.subarray(0, end).indexOf("\r\n\r\n");
    if (head < 0) return 0;
    const status = bytes.toString("latin1", 0, bytes.indexOf("\r\n"));
    if (!status.startsWith("HTTP/1.1 101")) {
      this.#end(`WebSocket refused: ${status}`);
      return end;
    }
    this.#open();
    return head + 4;
  }

  #messages(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (this.#state === "open" && readServerFrame(bytes, at, end, frame)) {
      at = frame.end;
      if (frame.opcode === 2 && frame.final) {
        const { start: from, end: to } = frame;
        if (deliverFrames(this.#receiver, bytes, from, to) !== to)
          this.#end("a WebSocket message ends inside a frame");
      } else if (frame.opcode === 8) {
        this.#end(`WebSocket close ${frame.end - frame.start >= 2 ? bytes.readUInt16BE(frame.start) : 1005}`);
      } else if (frame.opcode === 9) {
        this.#pong(bytes, frame);
      } else if (frame.opcode !== 10) {
        this.#end(`unexpected WebSocket opcode ${frame.opcode}${frame.final ? "" : " (fragment)"}`);
      }
    }
    return at;
  }

  #pong(bytes: Buffer, ping: ServerFrame): void {
    const size = ping.end - ping.start;
    const pong = Buffer.alloc(6 + size);
    pong[0] = 0x8a;
    pong[1] = 0x80 | size;
    bytes.copy(pong, 6, ping.start, ping.end);
    this.#socket.write(pong);
  }
}
