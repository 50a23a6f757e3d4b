/** The bytes of WebSocket frames as a server sends them (RFC 6455, section 5): unmasked, never fragmented. */
import type { SharedFrame } from "@hongyan/protocol";

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const fin = 0x80;

/** The header of a frame with `size` bytes of payload. */
export function frameHeader(code: number, size: number): Uint8Array {
  const header = Buffer.allocUnsafe(headerBytes(size));
  writeHeader(header, code, size);
  return header;
}

/** A whole frame, the payload copied. */
export function wholeFrame(code: number, payload: Uint8Array): Uint8Array {
  const headed = headerBytes(payload.length);
  const frame = Buffer.allocUnsafe(headed + payload.length);
  writeHeader(frame, code, payload.length);
  frame.set(payload, headed);
  return frame;
}

/** A close frame. `reason` must fit: at most 123 bytes of UTF-8. No code: an empty frame. */
export function closeFrameBytes(code: number | undefined, reason: string): Uint8Array {
  if (code === undefined) return wholeFrame(opcode.close, new Uint8Array(0));
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return wholeFrame(opcode.close, payload);
}

export function textMessage(frame: SharedFrame): Uint8Array {
  return wholeFrame(opcode.text, frame.bytes("text"));
}

export function jsonMessage(frame: SharedFrame): Uint8Array {
  return wholeFrame(opcode.binary, frame.bytes("json"));
}

export function messagePackMessage(frame: SharedFrame): Uint8Array {
  return wholeFrame(opcode.binary, frame.bytes("messagepack"));
}

function headerBytes(size: number): number {
  return size < 126 ? 2 : size < 65_536 ? 4 : 10;
}

function writeHeader(into: Buffer, code: number, size: number): void {
  into[0] = fin | code;
  if (size < 126) {
    into[1] = size;
  } else if (size < 65_536) {
    into[1] = 126;
    into.writeUInt16BE(size, 2);
  } else {
    into[1] = 127;
    into.writeUInt32BE(Math.floor(size / 0x1_0000_0000), 2);
    into.writeUInt32BE(size >>> 0, 6);
  }
}
