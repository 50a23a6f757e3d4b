/**
 * The golden vectors: every frame as an object, as text and as bytes in both codecs, for clients in any language.
 * `node packages/protocol/test/vectors.ts --write` makes the files anew; a test compares them.
 */
import { readFile, writeFile } from "node:fs/promises";
import { encodeFrame, encodeText, frameToObject, jsonCodec, messagePackCodec } from "@hongyan/protocol";
import { type BadSample, badSamples } from "./bad-samples.ts";
import { samples } from "./samples.ts";

export interface Vector {
  readonly name: string;
  /** The frame as in text mode; `id` is absent where it is 0. */
  readonly frame: Record<string, unknown>;
  readonly text: string;
  /** The binary frame with its fields in JSON (codec 0) and in MessagePack (codec 1). */
  readonly json: string;
  readonly messagepack: string;
}

export const framesFile = new URL("../vectors/frames.json", import.meta.url);
export const badFramesFile = new URL("../vectors/bad-frames.json", import.meta.url);

export function makeVectors(): readonly Vector[] {
  return samples().map(({ name, frame }) => ({
    name,
    frame: frameToObject(frame),
    text: encodeText(frame),
    json: hex(encodeFrame(frame, jsonCodec)),
    messagepack: hex(encodeFrame(frame, messagePackCodec)),
  }));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

export async function readVectors(): Promise<readonly Vector[]> {
  return JSON.parse(await readFile(framesFile, "utf8")) as Vector[];
}

export async function readBadVectors(): Promise<readonly BadSample[]> {
  return JSON.parse(await readFile(badFramesFile, "utf8")) as BadSample[];
}

if (import.meta.main && process.argv.includes("--write")) {
  await writeFile(framesFile, lines(makeVectors()));
  await writeFile(badFramesFile, lines(badSamples));
}

/** One vector per line, so that a difference shows which one has changed. */
function lines(rows: readonly unknown[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
}
