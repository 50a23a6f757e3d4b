/** The wire: frames, codecs, errors, close codes, limits, version. `docs/protocol.md` says the same in prose. */

export { type CloseName, closeAdvice, closeCodes } from "./close-codes.ts";
export { fromBase64, toBase64 } from "./codec/base64.ts";
export {
  asProtocolError,
  BadFrame,
  type DecodedFrame,
  decodeFrame,
  encodeFrame,
} from "./codec/binary.ts";
export { codecs, type Encoding } from "./codec/codecs.ts";
export { ByteWriter, type FieldCodec } from "./codec/field-codec.ts";
export { FrameReader, type FrameSink, readFrames } from "./codec/frame-reader.ts";
export { jsonCodec } from "./codec/json-codec.ts";
export { messagePackCodec } from "./codec/messagepack-codec.ts";
export { SharedFrame } from "./codec/shared-frame.ts";
export { decodeText, encodeText, frameToObject, objectToFrame } from "./codec/text.ts";
export { decodeUtf8, tryDecodeUtf8 } from "./codec/utf8.ts";
export {
  type ErrorName,
  type ErrorRow,
  errorName,
  errorNames,
  errors,
  ProtocolError,
  type RetryAdvice,
} from "./errors.ts";
export {
  type Command,
  type CommandType,
  type Frame,
  type FrameNamed,
  type FrameType,
  isCommand,
  type Push,
  type Reply,
  schemaOfCode,
  schemaOfType,
  schemas,
  type UnknownFrame,
} from "./frames.ts";
export {
  directConversationId,
  directConversationUsers,
  isClientMessageId,
  isConversationId,
  isId,
  isMessageType,
} from "./ids.ts";
export { limits } from "./limits.ts";
export type { Field, FieldKind, Fields, FrameSchema, Positions, ValuesOf } from "./schema.ts";
export { protocolVersion, protocolVersionMin } from "./version.ts";
