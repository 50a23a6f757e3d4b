import assert from "node:assert/strict";
import { test } from "node:test";
import { Confirms } from "../../src/peers/client/confirms.ts";
import {
  type AmqpFrame,
  ackFrame,
  deliveryTagStart,
  frameType,
  method,
  methodFrame,
  PublishWriter,
  readFrame,
  shortString,
  tagAt,
} from "../../src/peers/wire/amqp.ts";
import { atEveryCut, Sink } from "./sink.ts";

const frame: AmqpFrame = { type: 0, channel: 0, start: 0, end: 0 };

test("a publish is a method, a header and a body frame", () => {
  const sink = new Sink();
  const body = Buffer.alloc(300, "x");
  new PublishWriter(1, "exchange", "key").write(sink, body);
  const bytes = sink.bytes;
  const types: number[] = [];
  for (let at = 0; at < bytes.length; at = frame.end + 1) {
    assert.ok(readFrame(bytes, at, bytes.length, frame));
    types.push(frame.type);
    if (frame.type === frameType.method) assert.equal(bytes.readUInt32BE(frame.start), method.basicPublish);
    if (frame.type === frameType.header) {
      assert.equal(bytes.readUInt32BE(frame.start + 8), body.length);
      assert.equal(bytes[frame.end - 1], 2, "persistent");
    }
  }
  assert.deepEqual(types, [frameType.method, frameType.header, frameType.body]);
  assert.equal(bytes.toString("latin1", frame.start, frame.end), "x".repeat(300));
});

test("frames are read when they are whole, and delivery tags are found", () => {
  const tag = Buffer.alloc(8);
  tag.writeUInt32BE(70_000, 4);
  const deliver = methodFrame(1, method.basicDeliver, shortString("consumer"), tag, Buffer.of(0));
  assert.ok(atEveryCut(deliver, (limit) => readFrame(deliver, 0, limit, frame)));
  assert.equal(tagAt(deliver, deliveryTagStart(deliver, frame.start + 4)), 70_000);
  const ack = ackFrame(1, 70_000);
  assert.ok(readFrame(ack, 0, ack.length, frame));
  assert.equal(tagAt(ack, frame.start + 4), 70_000);
  assert.equal(ack[frame.start + 12], 1, "all up to it");
});

test("confirms may come out of order and for many at once, and count once", () => {
  const confirms = new Confirms();
  const seen: number[] = [];
  const confirm = (n: number, isMultiple: boolean) =>
    confirms.confirm(n, isMultiple, (one) => seen.push(one));
  confirm(2, false);
  confirm(4, true);
  confirm(4, false);
  confirm(6, false);
  confirm(5, false);
  confirm(7, true);
  assert.deepEqual(seen, [2, 1, 3, 4, 6, 5, 7]);
});
