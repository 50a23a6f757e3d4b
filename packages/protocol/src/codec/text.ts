/**
 * Text mode: one JSON object per WebSocket message, so that a person can talk to the server with any WebSocket
 * tool. `type` is the name, `id` the number of the command, the other members are the fields. A body that is
 * UTF-8 stands in `body` as a string, any other in `bodyBase64`.
 */
import { ProtocolError } from "../errors.ts";
import { type Frame, schemaOfType, type UnknownFrame } from "../frames.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { asProtocolError, BadFrame } from "./binary.ts";
import type { FieldValues } from "./field-codec.ts";
import { jsonFields, parseObject, readJsonFields } from "./json-codec.ts";
import { tryDecodeUtf8 } from "./utf8.ts";

const utf8 = new TextEncoder();

/** The frame as a plain object for `JSON.stringify`. */
export function frameToObject(frame: Frame): Record<string, unknown> {
  const schema = schemaOfType(frame.type);
  if (schema === undefined) throw new ProtocolError("internal", `no such frame type: ${frame.type}`);
  const object: Record<string, unknown> = { type: frame.type };
  if (frame.id !== 0) object.id = frame.id;
  Object.assign(object, jsonFields(schema, frame as unknown as FieldValues));
  if (schema.hasBody && frame.body !== undefined) {
    const text = tryDecodeUtf8(frame.body);
    if (text === undefined) object.bodyBase64 = toBase64(frame.body);
    else object.body = text;
  }
  return object;
}

export function encodeText(frame: Frame): string {
  return JSON.stringify(frameToObject(frame));
}

/** Throws `BadFrame`. */
export function decodeText(text: string): Frame | UnknownFrame {
  let object: Record<string, unknown>;
  try {
    object = parseObject(text);
  } catch (error) {
    throw new BadFrame(asProtocolError(error), 0);
  }
  return objectToFrame(object);
}

/** Reads a parsed JSON object as a frame. Throws `BadFrame`. */
export function objectToFrame(object: Record<string, unknown>): Frame | UnknownFrame {
  const id = object.id ?? 0;
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > 0xffffffff) {
    throw new BadFrame(new ProtocolError("bad_request", "id must be a whole number from 0 to 4294967295"), 0);
  }
  if (typeof object.type !== "string")
    throw new BadFrame(new ProtocolError("bad_request", "type must be a string"), id);
  const schema = schemaOfType(object.type);
  if (schema === undefined) return { type: "unknown", id, wireType: object.type };
  const frame: FieldValues = { type: schema.type, id, body: undefined };
  try {
    readJsonFields(schema, object, frame);
    if (schema.hasBody) frame.body = bodyOf(object);
  } catch (error) {
    throw new BadFrame(asProtocolError(error), id);
  }
  return frame as unknown as Frame;
}

function bodyOf(object: Record<string, unknown>): Uint8Array {
  const { body, bodyBase64 } = object;
  if (typeof body === "string") {
    if (!body.isWellFormed()) throw new ProtocolError("bad_request", "body is not well-formed Unicode");
    return utf8.encode(body);
  }
  if (body !== undefined)
    throw new ProtocolError("bad_request", "body must be a string; other bytes go into bodyBase64");
  if (bodyBase64 === undefined) return new Uint8Array(0);
  const bytes = typeof bodyBase64 === "string" ? fromBase64(bodyBase64) : undefined;
  if (bytes === undefined) throw new ProtocolError("bad_request", "bodyBase64 is not base64");
  return bytes;
}
