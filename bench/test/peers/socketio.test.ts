import assert from "node:assert/strict";
import { test } from "node:test";
import { idEnd, idOf, jsonText, writeText } from "../../src/peers/wire/socketio.ts";
import { Sink } from "./sink.ts";

test("each text is a masked WebSocket message of its own", () => {
  for (const size of [0, 10, 125, 126, 65_535]) {
    const sink = new Sink();
    writeText(sink, [Buffer.alloc(size, "x"), Buffer.alloc(0)]);
    const bytes = sink.bytes;
    const head = size < 126 ? 2 : 4;
    assert.equal(bytes[0], 0x81);
    assert.equal(bytes[1], 0x80 | Math.min(size, 126));
    if (size >= 126) assert.equal(bytes.readUInt16BE(2), size);
    assert.equal(bytes.readUInt32BE(head), 0, "with a key that changes nothing");
    assert.equal(bytes.length, head + 4 + size);
  }
});

test("the id of a packet stands behind its two types", () => {
  const read = (text: string) => {
    const bytes = Buffer.from(text);
    return idOf(bytes, 2, idEnd(bytes, 0, bytes.length));
  };
  assert.deepEqual([read("43170[]"), read('42["m"]'), read('420["m"]'), read("40")], [170, -1, 0, -1]);
});

test("text of people becomes a JSON string, whatever is in it", () => {
  for (const text of ["", 'she said "no"', "C:\\temp\n\u0000", "鸿雁 🪿"])
    assert.equal(JSON.parse(jsonText(Buffer.from(text)).toString()), text);
});
