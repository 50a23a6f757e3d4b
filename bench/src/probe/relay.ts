/**
 * What the machine allows: a relay that does nothing but cut frames, write everything that arrived meanwhile as one
 * value to LevelDB (`sync: true`, an fdatasync), acknowledge and deliver to the partner. No users, no conversations,
 * no duplicates, no history, no cursors. It speaks just enough of the frames for the same load generator.
 */

import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { messagePackCodec } from "@hongyan/protocol";
import { ClassicLevel } from "classic-level";
import { serveJobs } from "../process/child.ts";
import { bodyStart, encode, frameCode, idOf, stringEnd, typeOf } from "../wire/frame-bytes.ts";
import { answerConnect } from "./handshake.ts";

const peers: (Peer | undefined)[] = [];
let database: ClassicLevel<Buffer, Buffer> | undefined;
let commits = 0;
let committing = false;
let scheduled = false;

/** Sends that wait for their commit: the bytes to store, and who sent them. */
let pending = Buffer.allocUnsafeSlow(64 * 1024);
let pendingLength = 0;
let senders: Peer[] = [];

class Peer {
  readonly socket: Socket;
  index = -1;
  seq = 0;
  carry = Buffer.alloc(0);
  out = Buffer.allocUnsafeSlow(4096);
  length = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  reserve(size: number): Buffer {
    if (this.length === 0) dirty.push(this);
    if (this.length + size > this.out.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.length + size, this.out.length * 2));
      this.out.copy(grown, 0, 0, this.length);
      this.out = grown;
    }
    return this.out;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  flush(): void {
    if (!this.socket.destroyed) this.socket.write(this.out.subarray(0, this.length));
    if (this.socket.writableLength > 0) this.out = Buffer.allocUnsafeSlow(4096);
    this.length = 0;
  }

  read(buffer: Buffer, count: number): void {
    let bytes = buffer;
    let end = count;
    if (this.carry.length > 0) {
      bytes = Buffer.concat([this.carry, buffer.subarray(0, count)]);
      end = bytes.length;
    }
    let at = 0;
    while (end - at >= 4) {
      const next = at + 4 + bytes.readUInt32BE(at);
      if (next > end) break;
      this.#frame(bytes, at, next);
      at = next;
    }
    this.carry = at < end ? Buffer.from(bytes.subarray(at, end)) : Buffer.alloc(0);
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    switch (typeOf(bytes, start)) {
      case frameCode.send:
        return keep(this, bytes, start, end);
      case frameCode.ack:
        this.append(encode({ type: "ack.ok", id: idOf(bytes, start) }));
        break;
      case frameCode.sync:
        this.append(encode({ type: "sync.ok", id: idOf(bytes, start), count: 0, more: false }));
        break;
      default: {
        const answer = answerConnect(bytes, start, end);
        this.index = Number(answer.device.slice(1));
        peers[this.index] = this;
        this.append(answer.reply);
      }
    }
    schedule();
  }
}

let dirty: Peer[] = [];

function keep(peer: Peer, bytes: Buffer, start: number, end: number): void {
  const size = end - start;
  if (pendingLength + size > pending.length) {
    const grown = Buffer.allocUnsafeSlow(Math.max(pendingLength + size, pending.length * 2));
    pending.copy(grown, 0, 0, pendingLength);
    pending = grown;
  }
  bytes.copy(pending, pendingLength, start, end);
  pendingLength += size;
  senders.push(peer);
  schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(turn);
}

function turn(): void {
  scheduled = false;
  if (pendingLength > 0 && !committing) commit();
  flush();
}

function commit(): void {
  const bytes = pending.subarray(0, pendingLength);
  const from = senders;
  pending = Buffer.allocUnsafeSlow(pending.length);
  pendingLength = 0;
  senders = [];
  if (database === undefined) return deliver(bytes, from);
  committing = true;
  const key = Buffer.alloc(8);
  key.writeUIntBE(++commits, 2, 6);
  database.put(key, bytes, { sync: true }).then(() => {
    committing = false;
    deliver(bytes, from);
    schedule();
  });
}

/** Answers every sender and hands its frame to the partner. */
function deliver(bytes: Buffer, from: readonly Peer[]): void {
  let start = 0;
  for (const sender of from) {
    const end = start + 4 + bytes.readUInt32BE(start);
    const pair = peers[sender.index & ~1] as Peer;
    const seq = ++pair.seq;
    answer(sender, idOf(bytes, start), seq);
    const partner = peers[sender.index ^ 1];
    if (partner !== undefined) push(partner, bytes, start, end, seq);
    start = end;
  }
  flush();
}

function answer(sender: Peer, id: number, seq: number): void {
  const out = sender.reserve(19);
  const at = sender.length;
  out.writeUInt32BE(15, at);
  out[at + 4] = frameCode.sendOk;
  out[at + 5] = messagePackCodec.id;
  out.writeUInt16BE(7, at + 6);
  out.writeUInt32BE(id, at + 8);
  out[at + 12] = 0x92;
  out[at + 13] = 0xce;
  out.writeUInt32BE(seq, at + 14);
  out[at + 18] = 0;
  sender.length += 19;
}

/** A `message` with the conversation, the seq and the body; the other fields are empty. */
function push(partner: Peer, bytes: Buffer, start: number, end: number, seq: number): void {
  const conversationStart = start + 13;
  const conversationEnd = stringEnd(bytes, conversationStart);
  const conversationSize = conversationEnd - conversationStart;
  const body = bodyStart(bytes, start);
  const fields = 1 + conversationSize + 5 + 3;
  const size = 12 + fields + end - body;
  const out = partner.reserve(size);
  let at = partner.length;
  out.writeUInt32BE(size - 4, at);
  out[at + 4] = frameCode.message;
  out[at + 5] = messagePackCodec.id;
  out.writeUInt16BE(fields, at + 6);
  out.writeUInt32BE(0, at + 8);
  out[at + 12] = 0x95;
  at += 13;
  bytes.copy(out, at, conversationStart, conversationEnd);
  at += conversationSize;
  out[at] = 0xce;
  out.writeUInt32BE(seq, at + 1);
  out[at + 5] = 0xa0;
  out[at + 6] = 0;
  out[at + 7] = 0xa0;
  bytes.copy(out, at + 8, body, end);
  partner.length += size;
}

function flush(): void {
  const now = dirty;
  dirty = [];
  for (const peer of now) peer.flush();
}

async function listen(input: { directory?: string }): Promise<{ port: number }> {
  if (input.directory !== undefined) {
    database = new ClassicLevel<Buffer, Buffer>(input.directory, {
      keyEncoding: "buffer",
      valueEncoding: "buffer",
    });
    await database.open();
  }
  const server = createServer({ noDelay: true });
  server.on("connection", (socket) => {
    const peer = new Peer(socket);
    socket.on("data", (chunk: Buffer) => peer.read(chunk, chunk.length));
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  return { port: (server.address() as AddressInfo).port };
}

serveJobs({ listen });
