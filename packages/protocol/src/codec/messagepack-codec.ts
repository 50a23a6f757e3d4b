import { ProtocolError } from "../errors.ts";
import type { Field, Positions } from "../schema.ts";
import type { ByteWriter, FieldCodec } from "./field-codec.ts";
import { decodeUtf8 } from "./utf8.ts";
import { checkPresence, tooLong, wrong } from "./validate.ts";

/**
 * Fields as one MessagePack array in schema order: no names on the wire. `nil` and a missing tail mean absent;
 * elements beyond the known ones are ignored. Written by hand because fields are typed: reading straight into
 * the frame needs no intermediate array, and no length in the bytes is believed before it is checked.
 */
export const messagePackCodec: FieldCodec = {
  id: 1,
  name: "messagepack",

  encode(schema, values, out) {
    const { places } = schema;
    let count = places.length;
    while (count > 0 && values[(places[count - 1] as { name: string }).name] === undefined) count--;
    arrayHeader(out, count);
    for (let i = 0; i < count; i++) {
      const place = places[i] as Field & { name: string };
      writeField(out, place, values[place.name]);
    }
  },

  decode(schema, bytes, start, end, into) {
    const { places } = schema;
    if (start === end) {
      for (const place of places) into[place.name] = undefined;
    } else {
      const reader = new Reader(bytes, start, end);
      const count = reader.arrayLength();
      for (let i = 0; i < places.length; i++) {
        const place = places[i] as Field & { name: string };
        into[place.name] = i < count && !reader.nil() ? readField(reader, place) : undefined;
      }
      for (let i = places.length; i < count; i++) reader.skip(0);
    }
    checkPresence(schema, into);
  },
};

function writeField(out: ByteWriter, place: Field & { name: string }, value: unknown): void {
  if (value === undefined) return out.byte(0xc0);
  switch (place.kind) {
    case "string":
      return writeString(out, value as string);
    case "uint":
      return writeUint(out, value as number);
    case "boolean":
      return out.byte(value === true ? 0xc3 : 0xc2);
    case "strings": {
      const list = value as readonly string[];
      arrayHeader(out, list.length);
      for (const item of list) writeString(out, item);
      return;
    }
    case "positions": {
      const pairs = value as Positions;
      mapHeader(out, pairs.length);
      for (const [conversation, seq] of pairs) {
        writeString(out, conversation);
        writeUint(out, seq);
      }
    }
  }
}

function arrayHeader(out: ByteWriter, length: number): void {
  if (length < 16) return out.byte(0x90 | length);
  out.reserve(3);
  out.view.setUint8(out.position, 0xdc);
  out.view.setUint16(out.position + 1, length);
  out.position += 3;
}

function mapHeader(out: ByteWriter, length: number): void {
  if (length < 16) return out.byte(0x80 | length);
  out.reserve(3);
  out.view.setUint8(out.position, 0xde);
  out.view.setUint16(out.position + 1, length);
  out.position += 3;
}

export function writeUint(out: ByteWriter, value: number): void {
  out.reserve(9);
  const { view, position } = out;
  if (value < 0x80) {
    view.setUint8(position, value);
    out.position += 1;
  } else if (value < 0x100) {
    view.setUint16(position, 0xcc00 | value);
    out.position += 2;
  } else if (value < 0x1_0000) {
    view.setUint8(position, 0xcd);
    view.setUint16(position + 1, value);
    out.position += 3;
  } else if (value < 0x1_0000_0000) {
    view.setUint8(position, 0xce);
    view.setUint32(position + 1, value);
    out.position += 5;
  } else {
    view.setUint8(position, 0xcf);
    view.setUint32(position + 1, Math.floor(value / 0x1_0000_0000));
    view.setUint32(position + 5, value % 0x1_0000_0000);
    out.position += 9;
  }
}

export function writeString(out: ByteWriter, text: string): void {
  // Room for everything first: from here on the bytes do not move.
  out.reserve(text.length * 3 + 3);
  const start = out.position;
  // The length in bytes is known only afterwards; a header of the likely size is reserved and moved if wrong.
  const likely = text.length < 32 ? 1 : text.length < 256 ? 2 : 3;
  out.position = start + likely;
  const length = out.utf8(text);
  const needed = length < 32 ? 1 : length < 256 ? 2 : 3;
  if (needed !== likely) {
    out.bytes.copyWithin(start + needed, start + likely, start + likely + length);
    out.position = start + needed + length;
  }
  if (needed === 1) out.view.setUint8(start, 0xa0 | length);
  else if (needed === 2) out.view.setUint16(start, 0xd900 | length);
  else {
    out.view.setUint8(start, 0xda);
    out.view.setUint16(start + 1, length);
  }
}

function readField(reader: Reader, place: Field & { name: string }): unknown {
  switch (place.kind) {
    case "string": {
      const text = reader.string(place.name);
      if (text.length > place.max) throw tooLong(place.name, place.max);
      return text;
    }
    case "uint": {
      const value = reader.uint(place.name);
      if (value > place.max) throw tooLong(place.name, place.max);
      return value;
    }
    case "boolean":
      return reader.boolean(place.name);
    case "strings": {
      const length = reader.arrayLength();
      if (length > place.max) throw tooLong(place.name, place.max);
      const list: string[] = [];
      for (let i = 0; i < length; i++) list.push(reader.string(place.name));
      return list;
    }
    case "positions": {
      const length = reader.mapLength();
      if (length > place.max) throw tooLong(place.name, place.max);
      const pairs: [string, number][] = [];
      for (let i = 0; i < length; i++) pairs.push([reader.string(place.name), reader.uint(place.name)]);
      return pairs;
    }
  }
}

const depthMax = 16;

/** Walks MessagePack bytes without trusting them: every length is checked against what is left. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw new ProtocolError("bad_frame", "MessagePack ends too early");
    this.#at = at + count;
    return at;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  #number(bytes: number): number {
    const at = this.#take(bytes);
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + (this.#bytes[at + i] as number);
    return value;
  }

  nil(): boolean {
    if (this.#at >= this.#end) throw new ProtocolError("bad_frame", "MessagePack ends too early");
    if (this.#bytes[this.#at] !== 0xc0) return false;
    this.#at++;
    return true;
  }

  arrayLength(): number {
    const tag = this.#byte();
    if (tag >= 0x90 && tag <= 0x9f) return tag & 0x0f;
    if (tag === 0xdc) return this.#number(2);
    if (tag === 0xdd) return this.#number(4);
    throw new ProtocolError("bad_frame", "expected a MessagePack array");
  }

  mapLength(): number {
    const tag = this.#byte();
    if (tag >= 0x80 && tag <= 0x8f) return tag & 0x0f;
    if (tag === 0xde) return this.#number(2);
    if (tag === 0xdf) return this.#number(4);
    throw new ProtocolError("bad_frame", "expected a MessagePack map");
  }

  string(name: string): string {
    const tag = this.#byte();
    let length: number;
    if (tag >= 0xa0 && tag <= 0xbf) length = tag & 0x1f;
    else if (tag === 0xd9) length = this.#number(1);
    else if (tag === 0xda) length = this.#number(2);
    else if (tag === 0xdb) length = this.#number(4);
    else throw wrong(name, "a string");
    const at = this.#take(length);
    return decodeUtf8(this.#bytes, at, at + length);
  }

  uint(name: string): number {
    const tag = this.#byte();
    if (tag < 0x80) return tag;
    let value = -1;
    if (tag === 0xcc) value = this.#number(1);
    else if (tag === 0xcd) value = this.#number(2);
    else if (tag === 0xce) value = this.#number(4);
    else if (tag === 0xcf) value = this.#number(8);
    else if (tag >= 0xd0 && tag <= 0xd3) {
      // Signed forms are accepted where the value is not negative: encoders of many languages write them.
      const size = 1 << (tag - 0xd0);
      const at = this.#at;
      value = this.#number(size);
      if ((this.#bytes[at] as number) > 0x7f) value = -1;
    } else if (tag === 0xcb) {
      const at = this.#take(8);
      value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0);
    }
    if (!Number.isSafeInteger(value) || value < 0) throw wrong(name, "a whole number ≥ 0");
    return value;
  }

  boolean(name: string): boolean {
    const tag = this.#byte();
    if (tag === 0xc3) return true;
    if (tag === 0xc2) return false;
    throw wrong(name, "true or false");
  }

  /** Passes over one value of any type. */
  skip(depth: number): void {
    if (depth > depthMax) throw new ProtocolError("bad_frame", "MessagePack is nested too deeply");
    const tag = this.#byte();
    if (tag < 0x80 || tag >= 0xe0 || tag === 0xc0 || tag === 0xc2 || tag === 0xc3) return;
    if (tag >= 0x80 && tag <= 0x8f) return this.#skipMany((tag & 0x0f) * 2, depth);
    if (tag >= 0x90 && tag <= 0x9f) return this.#skipMany(tag & 0x0f, depth);
    if (tag >= 0xa0 && tag <= 0xbf) return void this.#take(tag & 0x1f);
    switch (tag) {
      case 0xc4:
      case 0xd9:
        return void this.#take(this.#number(1));
      case 0xc5:
      case 0xda:
        return void this.#take(this.#number(2));
      case 0xc6:
      case 0xdb:
        return void this.#take(this.#number(4));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return void this.#take(this.#number(1 << (tag - 0xc7)) + 1);
      case 0xca:
        return void this.#take(4);
      case 0xcb:
        return void this.#take(8);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return void this.#take(1 << (tag - 0xcc));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return void this.#take(1 << (tag - 0xd0));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return void this.#take((1 << (tag - 0xd4)) + 1);
      case 0xdc:
        return this.#skipMany(this.#number(2), depth);
      case 0xdd:
        return this.#skipMany(this.#number(4), depth);
      case 0xde:
        return this.#skipMany(this.#number(2) * 2, depth);
      case 0xdf:
        return this.#skipMany(this.#number(4) * 2, depth);
      default:
        throw new ProtocolError("bad_frame", "not MessagePack");
    }
  }

  #skipMany(count: number, depth: number): void {
    if (count > this.#end - this.#at) throw new ProtocolError("bad_frame", "MessagePack ends too early");
    for (let i = 0; i < count; i++) this.skip(depth + 1);
  }
}
