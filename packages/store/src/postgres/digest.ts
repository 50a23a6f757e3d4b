import { hash } from "node:crypto";

/**
 * What a log and a producer are called in keys: the first 16 bytes of their name's SHA-256, as 16 characters below
 * U+0100, which take a third of a Buffer's memory. Short and of one length, whatever the name holds; nobody can make
 * two names with one digest (2^64 tries).
 */
export type Digest = string;

export function digestOf(name: string): Digest {
  // Of a buffer, and not a part of a longer text: that would keep all of it in memory.
  return hash("sha256", name, "buffer").toString("latin1", 0, 16);
}

/** A digest as the parameter of a statement. */
export function digestBytes(digest: Digest): Buffer {
  return Buffer.from(digest, "latin1");
}

/** The whole SHA-256, as text in hex. */
export function bodyDigest(body: Uint8Array): string {
  return hash("sha256", body, "hex");
}
