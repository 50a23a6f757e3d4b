/** As much of WebSocket framing (RFC 6455) as a client needs that talks to a server it trusts. */

/** Bytes before the payload: 2, an extended length of up to 8, the masking key of 4. */
export const clientHeaderBytesMax = 14;

/**
 * Writes the header of one binary message in front of the payload in `out[clientHeaderBytesMax, end)`; returns where
 * it begins. The masking key is 0, which masks nothing and spares a pass over the payload.
 */
export function writeClientHeader(out: Buffer, end: number): number {
  const size = end - clientHeaderBytesMax;
  let at: number;
  if (size < 126) {
    at = clientHeaderBytesMax - 6;
    out[at + 1] = 0x80 | size;
  } else if (size < 0x1_0000) {
    at = clientHeaderBytesMax - 8;
    out[at + 1] = 0x80 | 126;
    out.writeUInt16BE(size, at + 2);
  } else {
    at = 0;
    out[1] = 0x80 | 127;
    out.writeUInt32BE(0, 2);
    out.writeUInt32BE(size, 6);
  }
  out[at] = 0x82;
  out.writeUInt32BE(0, clientHeaderBytesMax - 4);
  return at;
}

/** A frame of the server, by position. */
export interface ServerFrame {
  opcode: number;
  final: boolean;
  /** The payload is `bytes[start, end)`. */
  start: number;
  end: number;
}

/** Reads the frame at `at` into `into`; false while it is incomplete. */
export function readServerFrame(bytes: Buffer, at: number, limit: number, into: ServerFrame): boolean {
  if (limit - at < 2) return false;
  const first = bytes[at] as number;
  let size = (bytes[at + 1] as number) & 0x7f;
  let start = at + 2;
  if (size === 126) {
    if (limit - at < 4) return false;
    size = bytes.readUInt16BE(at + 2);
    start = at + 4;
  } else if (size === 127) {
    if (limit - at < 10) return false;
    size = bytes.readUInt32BE(at + 2) * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
    start = at + 10;
  }
  if (size > limit - start) return false;
  into.opcode = first & 0x0f;
  into.final = (first & 0x80) !== 0;
  into.start = start;
  into.end = start + size;
  return true;
}
