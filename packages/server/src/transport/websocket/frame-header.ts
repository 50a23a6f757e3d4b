/**
 * The header of a WebSocket frame as a client sends it:
 *
 *     0              1              2 … 10         4 bytes
 *     ┌───┬───┬──────┬────┬─────────┬──────────────┬──────┬─────────┐
 *     │fin│rsv│opcode│mask│ length  │ 0/16/64 bits │ mask │ payload │
 *     └───┴───┴──────┴────┴─────────┴──────────────┴──────┴─────────┘
 */
import { opcode } from "./wire.ts";

const finBit = 0x80;
const reservedBits = 0x70;
const maskBit = 0x80;
const controlBit = 0x08;
const controlBytesMax = 125;

export function isFinal(first: number): boolean {
  return (first & finBit) !== 0;
}

export function isControl(first: number): boolean {
  return (first & controlBit) !== 0;
}

export function opcodeOf(first: number): number {
  return first & 0x0f;
}

/** Bytes of the whole header, by its second byte. */
export function headerBytes(second: number): number {
  const length = second & 0x7f;
  return length < 126 ? 6 : length === 126 ? 8 : 14;
}

/** Bytes of the payload; -1 where the highest bit is set, which is forbidden. */
export function payloadBytes(bytes: Uint8Array, at: number): number {
  const length = (bytes[at + 1] as number) & 0x7f;
  if (length < 126) return length;
  if (length === 126) return ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  const high = maskOf(bytes, at + 2);
  return high > 0x7fffffff ? -1 : high * 0x1_0000_0000 + maskOf(bytes, at + 6);
}

export function maskOf(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** What is wrong with the first bytes of a header, as far as they are here; undefined where nothing is. */
export function headerFault(
  first: number,
  second: number | undefined,
  isInMessage: boolean,
): string | undefined {
  if ((first & reservedBits) !== 0) return "a reserved bit is set";
  const code = opcodeOf(first);
  if (isControl(first)) {
    if (code > opcode.pong) return "the opcode is reserved";
    if (!isFinal(first)) return "a control frame must not be fragmented";
    if (second !== undefined && (second & 0x7f) > controlBytesMax)
      return "a control frame has at most 125 bytes";
  } else if (code > opcode.binary) return "the opcode is reserved";
  else if (code === opcode.continuation && !isInMessage) return "there is no message to continue";
  else if (code !== opcode.continuation && isInMessage) return "the last message is not finished";
  if (second !== undefined && (second & maskBit) === 0) return "frames of a client must be masked";
  return undefined;
}
