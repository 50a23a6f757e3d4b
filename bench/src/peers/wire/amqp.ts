/** As much of AMQP 0-9-1 as a client needs that publishes with confirms and consumes with acknowledgements. */
import type { Outgoing } from "../../wire/outgoing.ts";

export const frameType = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;
export const frameEnd = 0xce;
/** Frame header and end. */
const frameBytes = 8;

/** Class and method as one number, as they are on the wire. */
export const method = {
  connectionStart: 0x000a_000a,
  connectionStartOk: 0x000a_000b,
  connectionTune: 0x000a_001e,
  connectionTuneOk: 0x000a_001f,
  connectionOpen: 0x000a_0028,
  connectionOpenOk: 0x000a_0029,
  connectionClose: 0x000a_0032,
  channelOpen: 0x0014_000a,
  channelOpenOk: 0x0014_000b,
  channelClose: 0x0014_0028,
  exchangeDeclare: 0x0028_000a,
  exchangeDeclareOk: 0x0028_000b,
  queueDeclare: 0x0032_000a,
  queueDeclareOk: 0x0032_000b,
  queueBind: 0x0032_0014,
  queueBindOk: 0x0032_0015,
  basicConsume: 0x003c_0014,
  basicConsumeOk: 0x003c_0015,
  basicPublish: 0x003c_0028,
  basicDeliver: 0x003c_003c,
  basicAck: 0x003c_0050,
  basicNack: 0x003c_0078,
  confirmSelect: 0x0055_000a,
  confirmSelectOk: 0x0055_000b,
} as const;

export const protocolHeader = Buffer.from("AMQP\0\0\x09\x01", "latin1");

export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

export function longString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

export const emptyTable = Buffer.alloc(4);

export function methodFrame(channel: number, code: number, ...args: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(code);
  return frameOf(frameType.method, channel, Buffer.concat([head, ...args]));
}

function frameOf(type: number, channel: number, payload: Buffer): Buffer {
  const out = Buffer.alloc(frameBytes + payload.length, frameEnd);
  out[0] = type;
  out.writeUInt16BE(channel, 1);
  out.writeUInt32BE(payload.length, 3);
  payload.copy(out, 7);
  return out;
}

/** Publishes persistent messages to one place: method, header and body frame of each. */
export class PublishWriter {
  readonly #head: Buffer;
  readonly #sizeAt: number;

  constructor(channel: number, exchange: string, routingKey: string) {
    const publish = methodFrame(
      channel,
      method.basicPublish,
      Buffer.alloc(2),
      shortString(exchange),
      shortString(routingKey),
      Buffer.of(0),
    );
    // Class, weight, size of the body, flags that only the delivery mode follows, delivery mode 2: persistent.
    const content = Buffer.from([0, 0x3c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 2]);
    const header = frameOf(frameType.header, channel, content);
    const body = frameOf(frameType.body, channel, Buffer.alloc(0)).subarray(0, frameBytes - 1);
    this.#head = Buffer.concat([publish, header, body]);
    this.#sizeAt = publish.length + 7 + 4;
  }

  write(connection: Outgoing, body: Buffer): void {
    const head = this.#head;
    const out = connection.reserve(head.length + body.length + 1);
    const at = connection.length;
    out.set(head, at);
    out.writeUInt32BE(body.length, at + this.#sizeAt + 4);
    out.writeUInt32BE(body.length, at + head.length - 4);
    out.set(body, at + head.length);
    out[at + head.length + body.length] = frameEnd;
    connection.length = at + head.length + body.length + 1;
  }
}

/** Acknowledges everything up to `tag`. */
export function ackFrame(channel: number, tag: number): Buffer {
  const args = Buffer.alloc(9, 1);
  args.writeUInt32BE(0, 0);
  args.writeUInt32BE(tag, 4);
  return methodFrame(channel, method.basicAck, args);
}

/** The low half of the 64-bit delivery tag at `at`: no run has four thousand million messages. */
export function tagAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 4);
}

/** Where the delivery tag of a `basic.deliver` begins: behind the consumer tag. */
export function deliveryTagStart(bytes: Buffer, argumentsStart: number): number {
  return argumentsStart + 1 + (bytes[argumentsStart] as number);
}

/** A frame by position: its payload is `bytes[start, end)`, and one more byte ends it. */
export interface AmqpFrame {
  type: number;
  channel: number;
  start: number;
  end: number;
}

/** Reads the frame at `at` into `into`; false while it is incomplete. */
export function readFrame(bytes: Buffer, at: number, limit: number, into: AmqpFrame): boolean {
  if (limit - at < frameBytes) return false;
  into.type = bytes[at] as number;
  into.channel = bytes.readUInt16BE(at + 1);
  into.start = at + 7;
  into.end = into.start + bytes.readUInt32BE(at + 3);
  if (into.end >= limit) return false;
  if (bytes[into.end] !== frameEnd) throw new Error("an AMQP frame without its end");
  return true;
}
