/** As much of MQTT 3.1.1 as a client needs that publishes and subscribes with QoS 1. */
import type { Outgoing } from "../../wire/outgoing.ts";

export const packetType = { connack: 2, publish: 3, puback: 4, suback: 9 } as const;

/** Packet ids are 16 bits and never 0. */
const packetIds = 0xffff;

export function packetIdOf(n: number): number {
  return ((n - 1) % packetIds) + 1;
}

/** The number of the message with this packet id, the last of which was `sent`. */
export function numberOfPacketId(id: number, sent: number): number {
  return sent - ((((sent - id) % packetIds) + packetIds) % packetIds);
}

/** A string behind its length, as topics and names are written. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

export function connectPacket(clientId: string, isClean: boolean): Buffer {
  const flags = isClean ? 2 : 0;
  // Keep-alive 0: nobody pings in a benchmark.
  return packet(0x10, Buffer.concat([text("MQTT"), Buffer.of(4, flags, 0, 0), text(clientId)]));
}

export function subscribePacket(id: number, topics: readonly string[]): Buffer {
  const filters = topics.flatMap((topic) => [text(topic), Buffer.of(1)]);
  return packet(0x82, Buffer.concat([Buffer.of(id >> 8, id & 0xff), ...filters]));
}

function packet(head: number, rest: Buffer): Buffer {
  const size: number[] = [];
  for (let left = rest.length, more = true; more; ) {
    more = left > 0x7f;
    size.push((left & 0x7f) | (more ? 0x80 : 0));
    left >>= 7;
  }
  return Buffer.concat([Buffer.of(head, ...size), rest]);
}

/** Writes a publish packet with QoS 1; `topic` is written by `text`. */
export function writePublish(connection: Outgoing, topic: Buffer, id: number, body: Buffer): void {
  const rest = topic.length + 2 + body.length;
  const out = connection.reserve(rest + 5);
  let at = connection.length;
  out[at++] = 0x32;
  let left = rest;
  while (left > 0x7f) {
    out[at++] = (left & 0x7f) | 0x80;
    left >>= 7;
  }
  out[at++] = left;
  out.set(topic, at);
  at += topic.length;
  out[at++] = id >> 8;
  out[at++] = id & 0xff;
  out.set(body, at);
  connection.length = at + body.length;
}

export function writePuback(connection: Outgoing, id: number): void {
  const out = connection.reserve(4);
  const at = connection.length;
  out[at] = 0x40;
  out[at + 1] = 2;
  out[at + 2] = id >> 8;
  out[at + 3] = id & 0xff;
  connection.length = at + 4;
}

/** A packet by position: what follows its length is `bytes[start, end)`. */
export interface Packet {
  head: number;
  start: number;
  end: number;
}

/** Reads the packet at `at` into `into`; false while it is incomplete. */
export function readPacket(bytes: Buffer, at: number, limit: number, into: Packet): boolean {
  let size = 0;
  for (let i = 1; i <= 4; i++) {
    if (at + i >= limit) return false;
    const byte = bytes[at + i] as number;
    size |= (byte & 0x7f) << (7 * (i - 1));
    if (byte > 0x7f) continue;
    into.head = bytes[at] as number;
    into.start = at + i + 1;
    into.end = into.start + size;
    return into.end <= limit;
  }
  throw new Error("an MQTT packet with a length of more than four bytes");
}
