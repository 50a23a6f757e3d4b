import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BadFrame,
  decodeFrame,
  decodeText,
  errors,
  type Frame,
  FrameReader,
  type FrameSink,
  limits,
  schemas,
  type UnknownFrame,
} from "@hongyan/protocol";
import { badSamples } from "./bad-samples.ts";
import { samples } from "./samples.ts";
import { makeVectors, readBadVectors, readVectors, unhex } from "./vectors.ts";

/** What a decoder yields for a sample: absent fields are there as undefined, and a body is never absent. */
function decoded(frame: Frame): Record<string, unknown> {
  const schema = schemas.find((row) => row.type === frame.type);
  assert.ok(schema);
  const values = frame as unknown as Record<string, unknown>;
  const whole: Record<string, unknown> = { type: frame.type, id: frame.id, body: undefined };
  for (const place of schema.places) whole[place.name] = values[place.name];
  if (schema.hasBody) whole.body = frame.body ?? new Uint8Array(0);
  return whole;
}

/** Reads bytes as a stream does: frames and errors in order. */
function readStream(bytes: Uint8Array): { frames: (Frame | UnknownFrame)[]; bad: BadFrame[] } {
  const frames: (Frame | UnknownFrame)[] = [];
  const bad: BadFrame[] = [];
  const sink: FrameSink = { frame: (read) => frames.push(read.frame), bad: (error) => bad.push(error) };
  new FrameReader(sink).push(bytes);
  return { frames, bad };
}

test("the golden frames are what this version writes", async () => {
  assert.deepEqual(
    await readVectors(),
    makeVectors(),
    "the wire has changed: read packages/protocol/src/version.ts first",
  );
});

test("the golden bad frames are those of this version", async () => {
  assert.deepEqual(await readBadVectors(), JSON.parse(JSON.stringify(badSamples)));
});

test("every frame type has a golden frame", async () => {
  const seen = new Set((await readVectors()).map((vector) => vector.frame.type));
  assert.deepEqual(
    schemas.map((schema) => schema.type).filter((type) => !seen.has(type)),
    [],
  );
});

test("each golden frame reads as the same object in all three encodings", async () => {
  const byName = new Map(samples().map((sample) => [sample.name, sample.frame]));
  for (const vector of await readVectors()) {
    const frame = byName.get(vector.name);
    assert.ok(frame, vector.name);
    const expected = decoded(frame);
    for (const bytes of [unhex(vector.json), unhex(vector.messagepack)]) {
      assert.deepEqual(
        {
          ...decodeFrame(bytes, 0, bytes.length).frame,
          body: bodyOf(decodeFrame(bytes, 0, bytes.length).frame),
        },
        expected,
        vector.name,
      );
    }
    const text = decodeText(vector.text);
    assert.deepEqual({ ...text, body: bodyOf(text) }, expected, vector.name);
  }
});

test("each golden bad frame earns its error, and only a fatal one ends the stream", async () => {
  const ping = unhex("00000008020000000000002a");
  for (const sample of await readBadVectors()) {
    if (sample.text !== undefined) {
      const { text } = sample;
      assert.throws(
        () => decodeText(text),
        (error) => matches(error, sample),
        sample.name,
      );
      continue;
    }
    const bytes = unhex(sample.hex ?? "");
    const { frames, bad } = readStream(new Uint8Array([...bytes, ...ping]));
    assert.equal(bad.length, 1, sample.name);
    assert.ok(matches(bad[0], sample), `${sample.name}: ${bad[0]?.message}`);
    assert.equal(frames.length, sample.fatal ? 0 : 1, `${sample.name}: the ping behind it`);
  }
});

test("a frame of an unknown type is handed on with its number, and unknown fields are ignored", () => {
  const unknown = unhex("00000009c80000010000000778");
  assert.deepEqual(decodeFrame(unknown, 0, unknown.length).frame, { type: "unknown", id: 7, wireType: 200 });
  assert.deepEqual(decodeText('{"type":"dance","id":7}'), { type: "unknown", id: 7, wireType: "dance" });
  const pingWithMore = unhex("0000000b020100030000000792c0c3");
  assert.equal(decodeFrame(pingWithMore, 0, pingWithMore.length).frame.type, "ping");
});

test("flag bits above the codec are ignored", () => {
  const ping = unhex("0000000802fc000000000007");
  assert.equal(decodeFrame(ping, 0, ping.length).frame.type, "ping");
});

test("a header may announce at most the largest frame, whatever follows", () => {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(0, limits.frameBytesMax - 4 + 1);
  const { bad } = readStream(bytes);
  assert.equal(bad[0]?.code, "too_large");
});

function bodyOf(frame: Frame | UnknownFrame): Uint8Array | undefined {
  return frame.type === "unknown" || frame.body === undefined ? undefined : new Uint8Array(frame.body);
}

function matches(error: unknown, sample: { error: string; fatal: boolean; id: number }): boolean {
  assert.ok(error instanceof BadFrame);
  const ends = error.fatal || error.code === "too_large";
  assert.ok(errors[error.code]);
  return error.code === sample.error && ends === sample.fatal && error.id === sample.id;
}
