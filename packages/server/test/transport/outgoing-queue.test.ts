import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { test } from "node:test";
import { FlushLoop } from "../../src/transport/flush-loop.ts";
import { OutgoingQueue } from "../../src/transport/outgoing-queue.ts";
import { noTraffic } from "../../src/transport/traffic.ts";

/** A peer that takes what was written when the test says so. */
class Peer extends Writable {
  readonly writes: Buffer[] = [];
  #taken: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1000 });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.writes.push(chunk);
    this.#taken = taken;
  }

  async take(): Promise<void> {
    this.#taken?.();
    await tick();
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function queueTo(peer: Peer): { queue: OutgoingQueue; drains: () => number } {
  let drains = 0;
  const packing = {
    single: () => Buffer.alloc(0),
    several: (items: readonly unknown[]) => items as Uint8Array[],
  };
  const context = { loop: new FlushLoop(), packing, traffic: noTraffic(), drainedAboveBytes: 1500 };
  const queue = new OutgoingQueue(context, peer as unknown as Socket, { onDrained: () => drains++ }, "text");
  peer.on("drain", () => queue.onSocketDrain());
  return { queue, drains: () => drains };
}

test("G8 being drained is reported once the last rest is taken, also where the socket has no drain event for it", async () => {
  const peer = new Peer();
  const { queue, drains } = queueTo(peer);
  queue.write(Buffer.alloc(2000));
  await tick();
  queue.write(Buffer.alloc(10));
  assert.equal(queue.bufferedBytes, 2010);
  await tick();
  assert.equal(peer.writes.length, 1, "a full socket is given no more");
  await peer.take();
  assert.equal(peer.writes.length, 2);
  assert.equal(queue.bufferedBytes, 10);
  assert.equal(drains(), 0, "the rest is still on its way");
  await peer.take();
  assert.equal(queue.bufferedBytes, 0);
  assert.equal(drains(), 1);
});

test("what waits for a full socket goes out in one piece", async () => {
  const peer = new Peer();
  const { queue } = queueTo(peer);
  queue.write(Buffer.alloc(2000));
  await tick();
  for (let i = 0; i < 30; i++) {
    queue.write(Buffer.from([i]));
    await tick();
  }
  await peer.take();
  assert.deepEqual([...(peer.writes[1] ?? [])], [...Array(30).keys()]);
});

test("a queue that is discarded holds nothing and writes nothing", async () => {
  const peer = new Peer();
  const { queue } = queueTo(peer);
  queue.write(Buffer.alloc(10));
  queue.discard();
  queue.write(Buffer.alloc(10));
  await tick();
  assert.equal(queue.bufferedBytes, 0);
  assert.equal(peer.writes.length, 0);
});
