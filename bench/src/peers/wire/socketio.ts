/**
 * As much of Socket.IO (protocol 5 over Engine.IO 4, WebSocket only) as a client needs that emits and acknowledges
 * events with text. Each packet is a WebSocket message of its own.
 */
import type { Outgoing } from "../../wire/outgoing.ts";

/** The masking key is 0, which masks nothing and spares a pass over the payload. */
const keyBytes = 4;

/** Writes one text message made of `parts`. */
export function writeText(connection: Outgoing, parts: readonly Uint8Array[]): void {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = connection.reserve(size + 4 + keyBytes);
  let at = connection.length;
  out[at++] = 0x81;
  if (size < 126) {
    out[at++] = 0x80 | size;
  } else {
    if (size > 0xffff) throw new Error("too long for the generator");
    out[at++] = 0x80 | 126;
    out[at++] = size >> 8;
    out[at++] = size & 0xff;
  }
  out.fill(0, at, at + keyBytes);
  at += keyBytes;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  connection.length = at;
}

/** UTF-8 text as a JSON string, quotation marks included. */
export function jsonText(text: Buffer): Buffer {
  return Buffer.from(JSON.stringify(text.toString()));
}

export function upgradeRequest(): string {
  const key = Buffer.alloc(16, "hongyan").toString("base64");
  return `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
}

/** First characters of packets: the type of Engine.IO, and behind a `4` that of Socket.IO. */
export const engine = { open: 0x30, close: 0x31, ping: 0x32, message: 0x34 } as const;
export const packet = { connect: 0x30, disconnect: 0x31, event: 0x32, ack: 0x33, error: 0x34 } as const;

/** Digits of the acknowledgement id behind the two types in `bytes[start, end)`; where they end. */
export function idEnd(bytes: Buffer, start: number, end: number): number {
  let at = start + 2;
  while (at < end && (bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39) at++;
  return at;
}

/** The number that these digits are; -1 where there are none. */
export function idOf(bytes: Buffer, start: number, end: number): number {
  if (start === end) return -1;
  let id = 0;
  for (let at = start; at < end; at++) id = id * 10 + (bytes[at] as number) - 0x30;
  return id;
}
