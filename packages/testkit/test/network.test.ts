import assert from "node:assert/strict";
import { test } from "node:test";
import { calm } from "../src/network/conditions.ts";
import { Pipe } from "../src/network/pipe.ts";
import { Scheduler } from "../src/scheduler.ts";
import { SeededRandom } from "../src/seeded-random.ts";

function pipe(conditions = calm): { scheduler: Scheduler; pipe: Pipe; received: number[] } {
  const scheduler = new Scheduler();
  const received: number[] = [];
  const one = new Pipe(scheduler, new SeededRandom("pipe"), conditions, (bytes) =>
    received.push(bytes[0] as number),
  );
  return { scheduler, pipe: one, received };
}

function send(one: Pipe, from: number, to: number): void {
  for (let i = from; i <= to; i++) one.send(new Uint8Array([i]));
}

test("a stream keeps order, also over a stall", () => {
  const { scheduler, pipe: one, received } = pipe();
  send(one, 1, 50);
  while (received.length < 10) scheduler.step(1_000);
  one.stall();
  while (scheduler.step(200));
  const before = received.length;
  assert.ok(before < 50);
  assert.ok(one.pendingBytes === 50 - before);
  one.resume();
  send(one, 51, 60);
  while (scheduler.step(1_000));
  assert.deepEqual(
    received,
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
  assert.equal(one.pendingBytes, 0);
});

test("datagrams are lost, doubled and overtaken", () => {
  const {
    scheduler,
    pipe: one,
    received,
  } = pipe({ ...calm, kind: "datagram", drop: 0.2, duplicate: 0.2, hold: 0.2, holdMsMax: 100 });
  send(one, 1, 200);
  while (scheduler.step(10_000));
  const distinct = new Set(received);
  assert.ok(distinct.size < 200, "lost");
  assert.ok(received.length > distinct.size, "doubled");
  assert.ok(
    received.some((seq, i) => i > 0 && seq < (received[i - 1] as number)),
    "overtaken",
  );
});

test("an ended pipe delivers nothing", () => {
  const { scheduler, pipe: one, received } = pipe();
  send(one, 1, 5);
  one.end();
  send(one, 6, 9);
  while (scheduler.step(1_000));
  assert.deepEqual(received, []);
});
