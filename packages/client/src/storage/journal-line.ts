import { crc32 } from "node:zlib";
import { fromBase64, toBase64 } from "@hongyan/protocol";
import type { StorageChange } from "../ports.ts";

const bytesKey = "$base64";

/** One change as one line: a checksum, a blank, JSON without line breaks. */
export function encodeLine(change: StorageChange): string {
  const json = JSON.stringify(change, (_, value: unknown) =>
    value instanceof Uint8Array ? { [bytesKey]: toBase64(value) } : value,
  );
  return `${checksum(json)} ${json}\n`;
}

/** Undefined where the line is torn or was changed. */
export function decodeLine(line: string): StorageChange | undefined {
  const json = line.slice(9);
  if (line.length < 10 || line.slice(0, 8) !== checksum(json)) return undefined;
  return JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !(bytesKey in value)) return value;
    return fromBase64(String(value[bytesKey])) ?? new Uint8Array(0);
  }) as StorageChange;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
