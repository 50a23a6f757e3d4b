import assert from "node:assert/strict";
import { test } from "node:test";
import { newBody, numberOf, senderOf, setNumber } from "../../src/peers/wire/body.ts";
import {
  connectPacket,
  numberOfPacketId,
  type Packet,
  packetIdOf,
  readPacket,
  subscribePacket,
  text,
  writePuback,
  writePublish,
} from "../../src/peers/wire/mqtt.ts";
import { atEveryCut, Sink } from "./sink.ts";

test("a publish packet is read as it was written, at every length of its length", () => {
  for (const size of [13, 100, 118, 119, 200, 16_000, 70_000]) {
    const sink = new Sink();
    const body = setNumber(newBody(7, size), 12_345);
    writePublish(sink, text("inbox/u1"), 0x1234, body);
    const packet: Packet = { head: 0, start: 0, end: 0 };
    const bytes = Buffer.from(sink.bytes);
    assert.ok(readPacket(bytes, 0, bytes.length, packet));
    assert.ok(!readPacket(bytes, 0, bytes.length - 1, packet), "not before the last byte is there");
    assert.deepEqual([packet.head, packet.end], [0x32, bytes.length]);
    const topicEnd = packet.start + 2 + bytes.readUInt16BE(packet.start);
    assert.equal(bytes.toString("utf8", packet.start + 2, topicEnd), "inbox/u1");
    assert.equal(bytes.readUInt16BE(topicEnd), 0x1234);
    assert.deepEqual([senderOf(bytes, topicEnd + 2), numberOf(bytes, topicEnd + 2)], [7, 12_345]);
    assert.equal(packet.end - topicEnd - 2, size);
  }
});

test("small packets are those of the standard", () => {
  assert.equal(connectPacket("u1", true).toString("hex"), "100e00044d5154540402000000027531");
  assert.equal(subscribePacket(1, ["a"]).toString("hex"), "8206000100016101");
  const sink = new Sink();
  writePuback(sink, 0x0102);
  const packet: Packet = { head: 0, start: 0, end: 0 };
  const bytes = sink.bytes;
  assert.ok(atEveryCut(bytes, (limit) => readPacket(bytes, 0, limit, packet)));
  assert.deepEqual([...bytes], [0x40, 2, 1, 2]);
});

test("packet ids name messages beyond the first 65,535", () => {
  for (const n of [1, 65_534, 65_535, 65_536, 131_070, 131_071, 1_000_000]) {
    const id = packetIdOf(n);
    assert.ok(id >= 1 && id <= 65_535);
    for (const ahead of [0, 1, 31]) assert.equal(numberOfPacketId(id, n + ahead), n);
  }
});
