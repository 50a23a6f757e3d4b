import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalMessage, Message } from "../src/api.ts";
import { failedPlace } from "../src/model/failed-place.ts";

const body = new Uint8Array();
const conversation = "alice:bob";

function entry(seq: number, from: string, clientMessageId: string, time: number): Message {
  return { conversation, seq, from, time, clientMessageId, messageType: undefined, body };
}

function failed(clientMessageId: string, time: number): LocalMessage {
  const failure = { code: "too_large" as const, message: "" };
  return {
    conversation,
    clientMessageId,
    messageType: undefined,
    body,
    time,
    status: "failed",
    seq: 0,
    failure,
  };
}

test("a refused message stands between those of its device by number, whatever the clocks say", () => {
  const entries = [
    entry(1, "alice", "p:1", 1000),
    entry(2, "bob", "q:7", 1100),
    entry(3, "alice", "p:3", 1200),
    entry(4, "bob", "q:8", 1300),
  ];
  for (const [time, place] of [
    [0, 1],
    [1050, 1],
    [1150, 2],
    [99_000, 2],
  ] as const)
    assert.equal(failedPlace(failed("p:2", time), entries, "alice"), place, `at ${time}`);
});

test("among messages of others and of other devices it stands by time", () => {
  const entries = [entry(1, "alice", "laptop:9", 1000), entry(2, "bob", "p:1", 2000)];
  assert.equal(failedPlace(failed("p:5", 1500), entries, "alice"), 1);
  assert.equal(failedPlace(failed("p:5", 2500), entries, "alice"), 2);
  assert.equal(failedPlace(failed("p:5", 500), entries, "alice"), 0);
});
