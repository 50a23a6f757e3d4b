/**
 * The binary frame:
 *
 *     0        4     5      6              8       12
 *     ┌────────┬─────┬──────┬──────────────┬───────┬────────┬──────┐
 *     │ length │type │flags │ fields length│  id   │ fields │ body │
 *     │  u32   │ u8  │ u8   │     u16      │  u32  │        │      │
 *     └────────┴─────┴──────┴──────────────┴───────┴────────┴──────┘
 *
 * Big-endian. `length` counts what follows it. Flags: the low two bits name the codec of the fields; the others
 * are sent as 0 and ignored. The body is passed on as it came.
 */
import { ProtocolError } from "../errors.ts";
import { type Frame, schemaOfCode, schemaOfType, type UnknownFrame } from "../frames.ts";
import { limits } from "../limits.ts";
import { codecs } from "./codecs.ts";
import { ByteWriter, type FieldCodec, type FieldValues } from "./field-codec.ts";

const codecMask = 0b11;

/** Writes one frame as the next piece of `out`. */
function writeFrame(out: ByteWriter, frame: Frame, codec: FieldCodec): Uint8Array {
  const schema = schemaOfType(frame.type);
  if (schema === undefined) throw new ProtocolError("internal", `no such frame type: ${frame.type}`);
  out.begin();
  out.reserve(limits.headerBytes);
  out.position += limits.headerBytes;
  codec.encode(schema, frame as unknown as FieldValues, out);
  // Counted from the end: the piece may have moved while it grew.
  const fieldsLength = out.pieceLength - limits.headerBytes;
  if (fieldsLength > limits.fieldsBytesMax) {
    throw new ProtocolError("too_large", `the fields of ${frame.type} exceed ${limits.fieldsBytesMax} bytes`);
  }
  if (frame.body !== undefined && schema.hasBody) out.append(frame.body);
  const start = out.position - out.pieceLength;
  const { view } = out;
  view.setUint32(start, out.pieceLength - 4);
  view.setUint8(start + 4, schema.code);
  view.setUint8(start + 5, codec.id);
  view.setUint16(start + 6, fieldsLength);
  view.setUint32(start + 8, frame.id);
  return out.take();
}

const scratch = new ByteWriter();

/** One frame as bytes; they are the caller's. */
export function encodeFrame(frame: Frame, codec: FieldCodec): Uint8Array {
  return writeFrame(scratch, frame, codec);
}

export interface DecodedFrame {
  readonly frame: Frame | UnknownFrame;
  readonly codec: FieldCodec;
}

/** A frame whose fields could not be read. It knows the id, so that the sender can be told which command it was. */
export class BadFrame extends ProtocolError {
  readonly id: number;

  constructor(error: ProtocolError, id: number) {
    super(error.code, error.message);
    this.id = id;
  }

  /** True where the stream cannot be trusted any further; false where only this command failed. */
  get fatal(): boolean {
    return this.code === "bad_frame" || this.code === "too_large";
  }
}

/**
 * Decodes the frame in `bytes[start, end)`, which must be exactly one frame. The body shares the memory of `bytes`.
 * Throws `BadFrame`.
 */
export function decodeFrame(bytes: Uint8Array, start: number, end: number): DecodedFrame {
  if (end - start < limits.headerBytes)
    throw new BadFrame(new ProtocolError("bad_frame", "a frame is at least 12 bytes long"), 0);
  const type = bytes[start + 4] as number;
  const id = uint32(bytes, start + 8);
  const codec = codecs[(bytes[start + 5] as number) & codecMask];
  if (codec === undefined)
    throw new BadFrame(new ProtocolError("bad_frame", "the codec in the flags is unknown"), id);
  const fieldsStart = start + limits.headerBytes;
  const fieldsEnd = fieldsStart + ((bytes[start + 6] as number) << 8) + (bytes[start + 7] as number);
  if (fieldsEnd > end)
    throw new BadFrame(new ProtocolError("bad_frame", "the fields are longer than the frame"), id);
  const schema = schemaOfCode(type);
  if (schema === undefined) return { frame: { type: "unknown", id, wireType: type }, codec };
  const frame: FieldValues = { type: schema.type, id, body: undefined };
  try {
    codec.decode(schema, bytes, fieldsStart, fieldsEnd, frame);
  } catch (error) {
    throw new BadFrame(asProtocolError(error), id);
  }
  if (schema.hasBody) frame.body = bytes.subarray(fieldsEnd, end);
  return { frame: frame as unknown as Frame, codec };
}

export function asProtocolError(error: unknown): ProtocolError {
  return error instanceof ProtocolError
    ? error
    : new ProtocolError("internal", error instanceof Error ? error.message : String(error));
}

export function uint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
