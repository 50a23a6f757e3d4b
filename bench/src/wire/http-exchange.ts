/** HTTP/1.1 with keep-alive, as little of it as a long poll needs: one request at a time on one socket. */
import type { Socket } from "node:net";
import { openLeanSocket } from "./lean-socket.ts";

export interface Response {
  status: number;
  /** `Hongyan-After`, or -1. */
  after: number;
  /** The body is `bytes[start, end)`, valid during the call only. */
  bytes: Buffer;
  start: number;
  end: number;
}

export interface ResponseReceiver {
  response(response: Response): void;
  /** The socket broke while a request was open; nobody knows whether the server has seen it. */
  failed(reason: string): void;
}

const nothing = Buffer.alloc(0);
/** Servers close sockets that are idle for 5 s and more; one about to be closed is not used any more. */
const idleMsMax = 3_000;

type State = "idle" | "connecting" | "waiting";

export class HttpExchange {
  readonly #port: number;
  readonly #receiver: ResponseReceiver;
  #socket: Socket | undefined;
  #state: State = "idle";
  #request = nothing;
  #carry = nothing;
  #idleSinceMs = 0;

  constructor(port: number, receiver: ResponseReceiver) {
    this.#port = port;
    this.#receiver = receiver;
  }

  get isBusy(): boolean {
    return this.#state !== "idle";
  }

  request(method: string, path: string, body: Uint8Array | undefined): void {
    const length =
      method === "GET"
        ? ""
        : `content-type: application/octet-stream\r\ncontent-length: ${body?.length ?? 0}\r\n`;
    const head = Buffer.from(
      `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/octet-stream\r\n${length}\r\n`,
      "latin1",
    );
    this.#request = body === undefined ? head : Buffer.concat([head, body]);
    if (this.#socket !== undefined && performance.now() - this.#idleSinceMs > idleMsMax) this.#drop();
    if (this.#socket === undefined) {
      this.#state = "connecting";
      this.#socket = this.#connect();
    } else {
      this.#state = "waiting";
      this.#socket.write(this.#request);
    }
  }

  close(): void {
    this.#state = "idle";
    this.#drop();
  }

  #connect(): Socket {
    const socket = openLeanSocket(this.#port, {
      connected: () => {
        if (socket !== this.#socket) return;
        this.#state = "waiting";
        socket.write(this.#request);
      },
      read: (bytes, count) => {
        if (socket === this.#socket) this.#read(bytes, count);
      },
      lost: (reason) => {
        if (socket === this.#socket) this.#lost(reason);
      },
    });
    return socket;
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#carry = nothing;
    socket?.destroy();
  }

  #lost(reason: string): void {
    this.#drop();
    if (this.#state === "idle") return;
    this.#state = "idle";
    this.#receiver.failed(reason);
  }

  #read(buffer: Buffer, count: number): void {
    const bytes = this.#carry.length === 0 ? buffer : Buffer.concat([this.#carry, buffer.subarray(0, count)]);
    const end = this.#carry.length === 0 ? count : bytes.length;
    if (this.#state === "waiting" && readResponse(bytes, end, response)) {
      this.#carry = nothing;
      this.#state = "idle";
      this.#idleSinceMs = performance.now();
      this.#receiver.response(response);
    } else {
      this.#carry = Buffer.from(bytes.subarray(0, end));
    }
  }
}

const response: Response = { status: 0, after: -1, bytes: nothing, start: 0, end: 0 };

/** Reads one whole response from `bytes[0, limit)`; false while it is incomplete. Chunked bodies are put together. */
function readResponse(bytes: Buffer, limit: number, into: Response): boolean {
  const headEnd = bytes.subarray(0, limit).indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = bytes.toString("latin1", 0, headEnd).toLowerCase();
  into.status = Number(head.slice(9, 12));
  into.after = numberOf(head, "\r\nhongyan-after: ") ?? -1;
  into.bytes = bytes;
  into.start = headEnd + 4;
  into.end = into.start;
  if (into.status === 204 || into.status === 304) return true;
  const length = numberOf(head, "\r\ncontent-length: ");
  if (length !== undefined) {
    into.end = into.start + length;
    return into.end <= limit;
  }
  if (!head.includes("\r\ntransfer-encoding: chunked")) throw new Error("a response without a length");
  return readChunks(bytes, limit, into);
}

function numberOf(head: string, name: string): number | undefined {
  const at = head.indexOf(name);
  return at < 0 ? undefined : Number.parseInt(head.slice(at + name.length), 10);
}

function readChunks(bytes: Buffer, limit: number, into: Response): boolean {
  const chunks: Buffer[] = [];
  let at = into.start;
  for (;;) {
    const lineEnd = bytes.subarray(0, limit).indexOf("\r\n", at);
    if (lineEnd < 0) return false;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (next > limit) return false;
    if (size === 0) break;
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
  into.bytes = Buffer.concat(chunks);
  into.start = 0;
  into.end = into.bytes.length;
  return true;
}
