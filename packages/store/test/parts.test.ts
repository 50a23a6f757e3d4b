import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../src/embedded/block.ts";
import { ByteReader, ByteWriter } from "../src/embedded/bytes.ts";
import { cursorName } from "../src/embedded/caches.ts";
import { LruCache } from "../src/embedded/lru-cache.ts";
import { chunkOf, insert, readChunk, seqIn, writeChunk } from "../src/embedded/number-chunk.ts";

test("numbers come back as they were written, in as few bytes as promised", () => {
  const numbers = [
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 52 - 1,
    Number.MAX_SAFE_INTEGER,
  ];
  const writer = new ByteWriter();
  for (const number of numbers) writer.varint(number);
  for (const number of numbers.filter((each) => each < 2 ** 52)) {
    writer.signed(number);
    writer.signed(-number);
  }
  writer.text("鸿雁");
  const reader = new ByteReader(writer.take());
  for (const number of numbers) {
    const before = reader.offset;
    assert.equal(reader.varint(), number);
    assert.equal(reader.offset - before, Math.max(1, Math.ceil(Math.log2(number + 1) / 7)));
  }
  for (const number of numbers.filter((each) => each < 2 ** 52)) {
    assert.equal(reader.signed(), number);
    assert.equal(reader.signed(), number === 0 ? 0 : -number);
  }
  assert.equal(reader.text(), "鸿雁");
  assert.ok(reader.ended);
  assert.throws(() => reader.varint(), RangeError);
});

test("a chunk finds each of its numbers, in whatever order they came", () => {
  for (const order of [(a: number, b: number) => a - b, (a: number, b: number) => b - a, () => 0]) {
    const numbers = [33, 64, 40, 51, 39, 63].sort(order);
    const chunk = { bits: 0, seqs: [] as number[] };
    for (const number of numbers) {
      assert.equal(chunkOf(number), 2);
      insert(chunk, number, number * 1000 - (number % 3) * 5000);
    }
    const writer = new ByteWriter();
    writeChunk(writer, chunk);
    const read = readChunk(new ByteReader(writer.take()));
    for (let number = 33; number <= 64; number++) {
      const expected = numbers.includes(number) ? number * 1000 - (number % 3) * 5000 : undefined;
      assert.equal(seqIn(read, number), expected);
    }
  }
  assert.deepEqual([0, 1, 32, 33, 64, 65].map(chunkOf), [0, 1, 1, 2, 2, 3]);
});

test("a block keeps times that jump back, and bodies of no bytes", () => {
  const entries = [
    { seq: 7, time: 1_700_000_000_000, body: Buffer.from("a") },
    { seq: 8, time: 5, body: Buffer.alloc(0) },
    { seq: 9, time: 2 ** 52 - 1, body: Buffer.from("c") },
  ];
  assert.deepEqual(decodeBlock(9, encodeBlock(new ByteWriter(), entries, 0, 3)), entries);
});

test("the cache keeps what was used last, within its bytes", () => {
  const cache = new LruCache<string>(64 * 300, (key, value) => key.length + value.length + 100);
  const value = "v".repeat(40);
  for (let i = 0; i < 10_000; i++) {
    cache.set(`key ${i}`, value);
    cache.get("key 0");
    assert.ok(cache.bytes <= 64 * 300);
  }
  assert.equal(cache.get("key 0"), value);
  assert.equal(cache.get("key 9999"), value);
  assert.equal(cache.get("key 5"), undefined);
  cache.set("key 0", "other");
  assert.equal(cache.peek("key 0"), "other");
  cache.clear();
  assert.equal(cache.peek("key 0"), undefined);
  assert.equal(cache.bytes, 0);
});

test("the cache has its room for keys that end alike: all cursors of a device, all conversations of a user", () => {
  const bytesOf = () => 100;
  const names = {
    cursors: (n: number) => cursorName(`d/conversation/p${n}:user10000`, "d/user10000/phone"),
    logs: (n: number) => `Sd/conversation/p${n}:c0a8012e-7f3b-4b6e-9d57-2f1f6f5f0f11`,
  };
  for (const [kind, name] of Object.entries(names)) {
    const cache = new LruCache<number>(10_000 * 100 * 2, bytesOf);
    for (let n = 0; n < 10_000; n++) cache.set(name(n), n);
    let kept = 0;
    for (let n = 0; n < 10_000; n++) if (cache.peek(name(n)) === n) kept++;
    assert.ok(kept > 9_500, `${kept} of 10,000 ${kind}`);
  }
});

test("names of cursors are different for different (log, reader)", () => {
  assert.notEqual(cursorName("ab", "c"), cursorName("a", "bc"));
  assert.notEqual(cursorName("1:a", "b"), cursorName("1", ":ab"));
});
