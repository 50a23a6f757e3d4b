import { ProtocolError } from "../errors.ts";
import type { Field, FrameSchema } from "../schema.ts";
import type { FieldValues } from "./field-codec.ts";

/** Takes what a generic decoder (JSON) produced for one field, checks it and returns it in memory form. */
export function checkedField(place: Field & { readonly name: string }, value: unknown): unknown {
  if (value === undefined || value === null) {
    if (place.optional) return undefined;
    throw new ProtocolError("bad_request", `field ${place.name} is missing`);
  }
  switch (place.kind) {
    case "string":
      if (typeof value !== "string") throw wrong(place.name, "a string");
      if (value.length > place.max) throw tooLong(place.name, place.max);
      return value;
    case "uint":
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
        throw wrong(place.name, "a whole number ≥ 0");
      if (value > place.max) throw tooLong(place.name, place.max);
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw wrong(place.name, "true or false");
      return value;
    case "strings":
      if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
        throw wrong(place.name, "a list of strings");
      if (value.length > place.max) throw tooLong(place.name, place.max);
      return value;
    case "positions": {
      if (typeof value !== "object" || Array.isArray(value))
        throw wrong(place.name, "a map from conversation to seq");
      const pairs = Object.entries(value);
      if (pairs.length > place.max) throw tooLong(place.name, place.max);
      for (const [, seq] of pairs)
        if (!Number.isSafeInteger(seq) || seq < 0) throw wrong(place.name, "a map from conversation to seq");
      return pairs;
    }
  }
}

/** Required fields that the wire did not bring. */
export function checkPresence(schema: FrameSchema, values: FieldValues): void {
  for (const place of schema.places) {
    if (!place.optional && values[place.name] === undefined)
      throw new ProtocolError("bad_request", `field ${place.name} is missing`);
  }
}

export function wrong(name: string, expected: string): ProtocolError {
  return new ProtocolError("bad_request", `field ${name} must be ${expected}`);
}

export function tooLong(name: string, max: number): ProtocolError {
  return new ProtocolError("bad_request", `field ${name} exceeds ${max}`);
}
