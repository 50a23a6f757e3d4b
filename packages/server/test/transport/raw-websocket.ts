import { RawSocket, until } from "./raw-socket.ts";

export interface RawFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** A length in the header other than the payload's. */
  readonly length?: bigint;
}

/** A client frame, right or wrong. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array | string,
  options: FrameOptions = {},
): Buffer {
  const { fin = true, reserved = 0, isMasked = true } = options;
  const data = Buffer.from(payload as Uint8Array);
  const length = options.length ?? BigInt(data.length);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const maskBit = isMasked ? 0x80 : 0;
  let header: Buffer;
  if (length < 126n) header = Buffer.from([first, maskBit | Number(length)]);
  else if (length < 65_536n) {
    header = Buffer.from([first, maskBit | 126, 0, 0]);
    header.writeUInt16BE(Number(length), 2);
  } else {
    header = Buffer.from([first, maskBit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeBigUInt64BE(length, 2);
  }
  if (!isMasked) return Buffer.concat([header, data]);
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  return Buffer.concat([header, mask, data.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

export function closePayload(code: number, reason: Uint8Array | string = ""): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason as Uint8Array)]);
}

/** A WebSocket client that can break every rule. */
export class RawWebSocket {
  readonly raw: RawSocket;
  readonly response: string;
  readonly frames: RawFrame[] = [];

  constructor(raw: RawSocket, response: string) {
    this.raw = raw;
    this.response = response;
    raw.socket.on("data", () => this.#read());
  }

  static async open(port: number, path = "/", headers: Record<string, string> = {}): Promise<RawWebSocket> {
    const raw = await RawSocket.open(port);
    raw.write(handshake(path, headers));
    await until("the handshake", () => raw.received.includes("\r\n\r\n") || raw.hasEnded);
    const end = raw.received.indexOf("\r\n\r\n") + 4;
    const response = raw.received.subarray(0, end).toString("latin1");
    raw.received = raw.received.subarray(end);
    const client = new RawWebSocket(raw, response);
    client.#read();
    return client;
  }

  send(opcode: number, payload: Uint8Array | string, options: FrameOptions = {}): void {
    this.raw.write(clientFrame(opcode, payload, options));
  }

  async next(): Promise<RawFrame> {
    await until("a frame", () => this.frames.length > 0 || this.raw.hasEnded);
    const frame = this.frames.shift();
    if (frame === undefined) throw new Error("the connection ended without a frame");
    return frame;
  }

  /** The code of the next frame, which must be a close frame, after which the stream must end. */
  async closes(): Promise<number> {
    const frame = await this.next();
    if (frame.opcode !== 8) throw new Error(`expected a close frame, got opcode ${frame.opcode}`);
    await this.raw.ends();
    return frame.payload.length === 0 ? 1005 : frame.payload.readUInt16BE(0);
  }

  #read(): void {
    for (;;) {
      const bytes = this.raw.received;
      if (bytes.length < 2) return;
      const [first, second] = [bytes[0] as number, bytes[1] as number];
      if ((second & 0x80) !== 0) throw new Error("frames of a server must not be masked");
      let [at, length] = [2, second & 0x7f];
      if (length === 126)
        [at, length] = [4, bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt16BE(2)];
      else if (length === 127)
        [at, length] = [10, bytes.length < 10 ? Number.POSITIVE_INFINITY : Number(bytes.readBigUInt64BE(2))];
      if (bytes.length < at + length) return;
      this.frames.push({
        fin: (first & 0x80) !== 0,
        opcode: first & 0x0f,
        payload: bytes.subarray(at, at + length),
      });
      this.raw.received = bytes.subarray(at + length);
    }
  }
}

export function handshake(path: string, headers: Record<string, string> = {}): string {
  const all = {
    Host: "localhost",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== "");
  return `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}
