import { hash } from "node:crypto";
import { byteaArray } from "./binary-array.ts";

/** What an index may hold of a name: PostgreSQL refuses entries above 2,704 bytes. */
const headBytesMax = 1000;
const nothing = Buffer.alloc(0);

/**
 * A name by which rows are ordered, in three columns of bytes: text in PostgreSQL cannot hold U+0000, and is ordered
 * by locale. (head, digest) is unique and indexed; (head, rest) is in the byte order of names. Nearly every name is
 * its head alone.
 */
export interface OrderedName {
  /** The first 1,000 bytes in UTF-8. */
  readonly head: Buffer;
  /** SHA-256 of the rest; empty where there is none. */
  readonly digest: Buffer;
  readonly rest: Buffer;
}

export function orderedName(name: string): OrderedName {
  const bytes = Buffer.from(name);
  if (bytes.length <= headBytesMax) return { head: bytes, digest: nothing, rest: nothing };
  const rest = bytes.subarray(headBytesMax);
  return { head: bytes.subarray(0, headBytesMax), digest: hash("sha256", rest, "buffer"), rest };
}

/** What is above all names that begin with `prefix`: UTF-8 has no byte 0xff. */
export function prefixEnd({ head }: OrderedName): Buffer {
  const end = Buffer.from(head);
  const last = end.length - 1;
  if (last < 0) return Buffer.of(0xff);
  end[last] = (end[last] as number) + 1;
  return end;
}

/** Heads, digests and rests. */
export function nameArrays(names: readonly OrderedName[]): Buffer[] {
  return [
    byteaArray(names.map(({ head }) => head)),
    byteaArray(names.map(({ digest }) => digest)),
    byteaArray(names.map(({ rest }) => rest)),
  ];
}
