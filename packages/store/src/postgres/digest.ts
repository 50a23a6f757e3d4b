import { hash } from "node:crypto";

/**
 * The first 16 bytes of a name's SHA-256: what a log and a producer are called in keys. Short and of one length,
 * whatever the name holds; nobody can make two names with one digest (2^64 tries).
 */
export function digestOf(name: string): Buffer {
  return hash("sha256", name, "buffer").subarray(0, 16);
}

/** The whole SHA-256, as text in hex. */
export function bodyDigest(body: Uint8Array): string {
  return hash("sha256", body, "hex");
}
