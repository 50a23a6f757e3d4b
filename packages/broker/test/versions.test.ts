/** Nodes of two releases side by side. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeEvent } from "../src/nats/event-codec.ts";
import { events, makeVectors, readVectors } from "./vectors.ts";

const bytesOf = (hex: string) => Buffer.from(hex, "hex");

test("what nodes tell each other is written as it was, byte by byte", async () => {
  assert.deepEqual(makeVectors(), await readVectors());
});

test("what the release before has written is read", async () => {
  for (const { name, bytes } of await readVectors()) {
    const event = events[name];
    if (event === undefined) continue;
    const back = decodeEvent(bytesOf(bytes));
    if (event.kind !== "message") {
      assert.deepEqual(back, event, name);
      continue;
    }
    assert.ok(back?.kind === "message");
    assert.deepEqual(back.frame.bytes("messagepack"), event.frame.bytes("messagepack"), name);
    assert.deepEqual({ ...back, frame: undefined }, { ...event, frame: undefined });
  }
});

test("fields that a newer release adds at the end of an event are passed over", async () => {
  for (const { name, bytes } of await readVectors()) {
    const event = events[name];
    if (event === undefined || event.kind === "message") continue;
    const longer = Buffer.concat([bytesOf(bytes), Buffer.from("0005later", "latin1")]);
    assert.deepEqual(decodeEvent(longer), event, name);
  }
});

test("a field that a newer release adds to a message is passed over", async () => {
  const vector = (await readVectors()).find(({ name }) => name === "message");
  assert.ok(vector !== undefined);
  const bytes = bytesOf(vector.bytes);
  // Behind the kind and an empty `exceptSession`: the frame, its header of twelve bytes, its fields as an array.
  const [frame, fields] = [3, 15];
  const fieldsLength = bytes.readUInt16BE(frame + 6);
  assert.equal(bytes[fields], 0x95, "five of the six fields: no message type");
  const added = Buffer.from([0xc0, 0xa5, ...Buffer.from("later")]);
  const end = fields + fieldsLength;
  const longer = Buffer.concat([bytes.subarray(0, end), added, bytes.subarray(end)]);
  longer[fields] = 0x97;
  longer.writeUInt32BE(bytes.readUInt32BE(frame) + added.length, frame);
  longer.writeUInt16BE(fieldsLength + added.length, frame + 6);
  const back = decodeEvent(longer);
  assert.ok(back?.kind === "message" && back.frame.frame.type === "message");
  assert.equal(back.frame.frame.clientMessageId, "x:1");
  assert.deepEqual(Buffer.from(back.frame.frame.body ?? []), Buffer.from([1, 2, 3]));
});

test("kinds that a newer release adds are left alone", () => {
  for (const kind of [99, 200, 255]) assert.equal(decodeEvent(Uint8Array.of(kind, 1, 2, 3)), undefined);
});
