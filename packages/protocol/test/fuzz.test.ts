import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BadFrame,
  decodeFrame,
  decodeText,
  encodeFrame,
  encodeText,
  type Field,
  type Frame,
  FrameReader,
  type FrameSchema,
  jsonCodec,
  messagePackCodec,
  schemas,
} from "@hongyan/protocol";
import fc from "fast-check";
import { unpack } from "msgpackr";
import { readVectors, unhex } from "./vectors.ts";

const runs = Number(process.env.FUZZ_RUNS ?? 300);
const anySchema: fc.Arbitrary<FrameSchema> = fc.constantFrom(...(schemas as readonly FrameSchema[]));

function anyValue(place: Field): fc.Arbitrary<unknown> {
  const text = fc
    .string({ unit: "binary", maxLength: Math.min(place.max, 300) })
    .filter((value) => value.length <= place.max && value.isWellFormed());
  const uint = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat()).map((value) => Math.min(value, place.max));
  switch (place.kind) {
    case "string":
      return text;
    case "uint":
      return uint;
    case "boolean":
      return fc.boolean();
    case "strings":
      return fc.array(
        fc.string({ unit: "binary", maxLength: 40 }).filter((value) => value.isWellFormed()),
        { maxLength: 40 },
      );
    case "positions":
      // JSON objects sort keys that look like array indexes, so that only other keys keep their order.
      return fc.uniqueArray(
        fc.tuple(
          fc.string({ maxLength: 30 }).map((key) => `c${key}`),
          fc.maxSafeNat(),
        ),
        { maxLength: 40, selector: ([key]) => key },
      );
  }
}

const anyFrame: fc.Arbitrary<Frame> = anySchema.chain((schema) => {
  const fields = Object.fromEntries(
    schema.places.map((place) => [
      place.name,
      place.optional ? fc.option(anyValue(place), { nil: undefined }) : anyValue(place),
    ]),
  );
  const body = schema.hasBody ? fc.uint8Array({ maxLength: 200 }) : fc.constant(undefined);
  return fc.record(
    {
      type: fc.constant(schema.type),
      id: fc.nat(0xffffffff),
      body,
      ...fields,
    },
    { noNullPrototype: true },
  ) as unknown as fc.Arbitrary<Frame>;
});

function readAll(chunks: readonly Uint8Array[]): { frames: unknown[]; errors: BadFrame[]; held: number } {
  const frames: unknown[] = [];
  const errors: BadFrame[] = [];
  const reader = new FrameReader({
    frame: ({ frame }) => frames.push(frame),
    bad: (error) => errors.push(error),
  });
  for (const chunk of chunks) reader.push(chunk);
  return { frames, errors, held: reader.heldBytes };
}

test("what is encoded is decoded again, in every encoding", () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      for (const codec of [jsonCodec, messagePackCodec]) {
        const bytes = encodeFrame(frame, codec);
        assert.deepEqual(decodeFrame(bytes, 0, bytes.length).frame, frame);
      }
      assert.deepEqual(decodeText(encodeText(frame)), frame);
    }),
    { numRuns: runs },
  );
});

test("our MessagePack is MessagePack: another implementation reads the same values", () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const bytes = encodeFrame(frame, messagePackCodec);
      const length = (bytes[6] as number) * 256 + (bytes[7] as number);
      const schema = schemas.find((row) => row.type === frame.type) as FrameSchema;
      const values = unpack(bytes.subarray(12, 12 + length)) as unknown[];
      schema.places.forEach((place, at) => {
        const mine = (frame as unknown as Record<string, unknown>)[place.name];
        const plain =
          place.kind === "positions" && mine !== undefined
            ? Object.fromEntries(mine as [string, number][])
            : mine;
        assert.deepEqual(normal(values[at]), plain ?? null);
      });
    }),
    { numRuns: runs },
  );
});

/** The reader yields 64-bit numbers as BigInt and maps as objects. */
function normal(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normal(item)]));
  return value;
}

test("a stream cut anywhere yields the same frames", () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(2000), { maxLength: 12 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame, messagePackCodec)));
        const edges = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((one, other) => one - other),
          bytes.length,
        ];
        const chunks = edges.slice(1).map((end, at) => new Uint8Array(bytes.subarray(edges[at], end)));
        assert.deepEqual(readAll(chunks), { frames, errors: [], held: 0 });
      },
    ),
    { numRuns: runs },
  );
});

test("random bytes never do anything but yield frames or one of the errors", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (chunks) => {
      const { errors } = readAll(chunks);
      for (const error of errors) assert.notEqual(error.code, "internal");
    }),
    { numRuns: runs * 4 },
  );
});

test("changed golden frames never do anything but yield frames or one of the errors", async () => {
  const golden = (await readVectors()).flatMap((vector) => [unhex(vector.json), unhex(vector.messagepack)]);
  const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...golden), changes, (original, edits) => {
      const bytes = original.slice();
      // The length stays true, so that the change reaches the codec.
      for (const [at, value] of edits) bytes[4 + (at % (bytes.length - 4))] = value;
      try {
        decodeFrame(bytes, 0, bytes.length);
      } catch (error) {
        assert.ok(error instanceof BadFrame, String(error));
        assert.notEqual(error.code, "internal", error.message);
      }
    }),
    { numRuns: runs * 10 },
  );
});

test("random text never does anything but yield a frame or one of the errors", () => {
  const anyText = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        type: fc.constantFrom(...schemas.map((schema) => schema.type)),
        id: fc.anything(),
        conversation: fc.anything(),
        positions: fc.anything(),
        body: fc.anything(),
      })
      .map((value) => {
        try {
          return JSON.stringify(value) ?? "";
        } catch {
          return "";
        }
      }),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        decodeText(text);
      } catch (error) {
        assert.ok(error instanceof BadFrame, String(error));
        assert.notEqual(error.code, "internal", error.message);
      }
    }),
    { numRuns: runs * 4 },
  );
});

test("a reader holds no more than the frame that its peer has announced, and that only within the limit", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.uint8Array({ maxLength: 40 }), (length, rest) => {
      const head = new Uint8Array(4);
      new DataView(head.buffer).setUint32(0, length);
      const { held } = readAll([head, rest]);
      assert.ok(held <= 5000 + 4 || length > 5000, `${held}`);
    }),
    { numRuns: runs },
  );
  const most = 5000;
  const sizes: number[] = [];
  for (const length of [0, 8, 4992, 4996, 4997, 0x7fffffff, 0xffffffff]) {
    const reader = new FrameReader({ frame: () => undefined, bad: () => undefined }, most);
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, length);
    reader.push(head);
    sizes.push(reader.heldBytes);
  }
  assert.ok(
    sizes.every((size) => size <= most),
    sizes.join(),
  );
});

test("lengths inside the fields are not believed: a small frame cannot make the decoder take much memory", () => {
  // Each of these announces 4 billion elements or bytes and brings none.
  for (const fields of [
    "92dbffffffff",
    "92a161ddffffffff",
    "ddffffffff",
    "91dfffffffff",
    "92a161dbffffffff",
  ]) {
    for (const type of [4, 14, 3]) {
      const bytes = unhex(
        `${(8 + fields.length / 2).toString(16).padStart(8, "0")}${type.toString(16).padStart(2, "0")}01${(fields.length / 2).toString(16).padStart(4, "0")}00000001${fields}`,
      );
      const before = process.memoryUsage().rss;
      assert.throws(() => decodeFrame(bytes, 0, bytes.length), BadFrame);
      assert.ok(process.memoryUsage().rss - before < 16 * 1024 * 1024);
    }
  }
});
