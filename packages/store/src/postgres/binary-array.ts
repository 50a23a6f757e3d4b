import type { NameDigest } from "./name-digest.ts";

/**
 * Parameters that are arrays, in PostgreSQL's binary format: a batch goes to the server as a few columns, and bodies
 * as they are. As text, every byte of a body would be two characters, written here and parsed there.
 *
 *     dimensions=1 | has nulls | type | length | lower bound=1 | (element length | element)*      all int32, big endian
 */
const types = { bytea: 17, int8: 20, uuid: 2950 } as const;

const headerBytes = 20;
const none = 0xffff_ffff;

/** Whole numbers from 0 to 2^53 - 1. */
export function int8Array(values: readonly number[]): Buffer {
  const array = begin(types.int8, values.length, values.length * 12, false);
  let at = headerBytes;
  for (const value of values) {
    at = array.writeUInt32BE(8, at);
    at = array.writeUInt32BE(Math.floor(value / 2 ** 32), at);
    at = array.writeUInt32BE(value % 2 ** 32, at);
  }
  return array;
}

/** Undefined is null. */
export function byteaArray(values: readonly (Uint8Array | undefined)[]): Buffer {
  return bytesArray(types.bytea, values);
}

/** Digests of 16 bytes; undefined is null. */
export function uuidArray(values: readonly (Uint8Array | NameDigest | undefined)[]): Buffer {
  return bytesArray(types.uuid, values);
}

function bytesArray(type: number, values: readonly (Uint8Array | NameDigest | undefined)[]): Buffer {
  let bytes = 0;
  let hasNulls = false;
  for (const value of values) {
    bytes += 4 + (value?.length ?? 0);
    hasNulls ||= value === undefined;
  }
  const array = begin(type, values.length, bytes, hasNulls);
  let at = headerBytes;
  for (const value of values) {
    at = array.writeUInt32BE(value?.length ?? none, at);
    if (value === undefined) continue;
    if (typeof value === "string") array.write(value, at, "latin1");
    else array.set(value, at);
    at += value.length;
  }
  return array;
}

function begin(type: number, length: number, elementBytes: number, hasNulls: boolean): Buffer {
  const array = Buffer.allocUnsafe(headerBytes + elementBytes);
  array.writeUInt32BE(1, 0);
  array.writeUInt32BE(hasNulls ? 1 : 0, 4);
  array.writeUInt32BE(type, 8);
  array.writeUInt32BE(length, 12);
  array.writeUInt32BE(1, 16);
  return array;
}
