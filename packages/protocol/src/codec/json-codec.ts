import { ProtocolError } from "../errors.ts";
import type { FrameSchema } from "../schema.ts";
import type { ByteWriter, FieldCodec, FieldValues } from "./field-codec.ts";
import { decodeUtf8 } from "./utf8.ts";
import { checkedField } from "./validate.ts";

/** Fields as one JSON object; absent optional fields are left out, unknown members are ignored. */
export const jsonCodec: FieldCodec = {
  id: 0,
  name: "json",

  encode(schema, values, out: ByteWriter) {
    out.utf8(JSON.stringify(jsonFields(schema, values)));
  },

  decode(schema, bytes, start, end, into) {
    readJsonFields(schema, start === end ? {} : parseObject(decodeUtf8(bytes, start, end)), into);
  },
};

/** The fields of a frame as a plain object, ready for `JSON.stringify`. */
export function jsonFields(schema: FrameSchema, values: FieldValues): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { name, kind } of schema.places) {
    const value = values[name];
    if (value === undefined) continue;
    object[name] = kind === "positions" ? Object.fromEntries(value as Iterable<[string, number]>) : value;
  }
  return object;
}

export function readJsonFields(
  schema: FrameSchema,
  object: Record<string, unknown>,
  into: FieldValues,
): void {
  for (const place of schema.places) into[place.name] = checkedField(place, object[place.name]);
}

export function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError("bad_frame", "not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ProtocolError("bad_frame", "expected a JSON object");
  return value as Record<string, unknown>;
}
