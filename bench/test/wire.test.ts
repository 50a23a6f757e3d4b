import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame, encodeFrame, type Frame, messagePackCodec } from "@hongyan/protocol";
import { AckWriter, bodyStart, SendWriter, seqOfMessage, seqOfSendOk } from "../src/wire/frame-bytes.ts";
import { Outgoing } from "../src/wire/outgoing.ts";
import { deliverFrames } from "../src/wire/receiver.ts";
import { clientHeaderBytesMax, readServerFrame, writeClientHeader } from "../src/wire/websocket-frame.ts";

class Sink extends Outgoing {
  protected override transmit(): void {}
}

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  const receiver = {
    opened() {},
    closed() {},
    frame: (all: Buffer, start: number, end: number) =>
      frames.push(decodeFrame(all, start, end).frame as Frame),
  };
  assert.equal(deliverFrames(receiver, bytes, 0, bytes.length), bytes.length);
  return frames;
}

test("hand-written sends are what the codec reads, at every length of the number", () => {
  const sink = new Sink(0);
  const writer = new SendWriter("alice:bob", "d0", 200);
  for (let n = 1; n <= 1001; n++) writer.write(sink, n / 8);
  const frames = framesOf(sink.out.subarray(0, sink.length));
  assert.equal(frames.length, 1001);
  for (const n of [1, 2, 9, 10, 11, 99, 100, 101, 1000, 1001]) {
    const frame = frames[n - 1];
    assert.ok(frame?.type === "send");
    assert.equal(frame.id, n);
    assert.equal(frame.conversation, "alice:bob");
    assert.equal(frame.clientMessageId, `d0:${n}`);
    assert.equal(frame.after, n === 1 ? undefined : `d0:${n - 1}`);
    assert.equal(frame.body?.length, 200);
    assert.equal(Buffer.from(frame.body).readDoubleBE(0), n / 8);
  }
});

test("hand-written acknowledgements are what the codec reads", () => {
  const sink = new Sink(0);
  new AckWriter("alice:bob").write(sink, 0x8000_0001, 70_000);
  assert.deepEqual(framesOf(sink.out.subarray(0, sink.length)), [
    { type: "ack", id: 0x8000_0001, positions: [["alice:bob", 70_000]], body: undefined },
  ]);
});

test("the fields that are picked out of a frame are the codec's", () => {
  for (const seq of [1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40]) {
    for (const conversation of ["g1", "a".repeat(31), "b".repeat(64)]) {
      const body = Buffer.from("x");
      const message: Frame = {
        type: "message",
        id: 0,
        conversation,
        seq,
        from: "u",
        time: 1,
        clientMessageId: "c:1",
        body,
      };
      const bytes = Buffer.from(encodeFrame(message, messagePackCodec));
      assert.equal(seqOfMessage(bytes, 0), seq);
      assert.equal(bodyStart(bytes, 0), bytes.length - 1);
      const reply = Buffer.from(encodeFrame({ type: "send.ok", id: 1, seq, time: 1 }, messagePackCodec));
      assert.equal(seqOfSendOk(reply, 0), seq);
    }
  }
});

test("WebSocket headers have the right length at every boundary", () => {
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536]) {
    const out = Buffer.alloc(clientHeaderBytesMax + size, 7);
    const from = writeClientHeader(out, out.length);
    assert.equal(out[from], 0x82);
    assert.equal((out[from + 1] as number) & 0x80, 0x80, "a client masks");
    assert.equal(out.readUInt32BE(clientHeaderBytesMax - 4), 0, "with a key that changes nothing");
    // The server's header is the same without the mask bit and key.
    const unmasked = Buffer.concat([
      out.subarray(from, clientHeaderBytesMax - 4),
      out.subarray(clientHeaderBytesMax),
    ]);
    unmasked[1] = (unmasked[1] as number) & 0x7f;
    const frame = { opcode: 0, final: false, start: 0, end: 0 };
    assert.ok(readServerFrame(unmasked, 0, unmasked.length, frame));
    assert.deepEqual(
      [frame.opcode, frame.final, frame.end - frame.start, frame.end],
      [2, true, size, unmasked.length],
    );
    assert.ok(!readServerFrame(unmasked, 0, unmasked.length - 1, frame), "not before the last byte is there");
  }
});
