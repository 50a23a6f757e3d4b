import { readServerFrame, type ServerFrame } from "../../wire/websocket-frame.ts";
import type { Channel, PeerClient, PeerEvents, PeerLogin } from "../peer-client.ts";
import { numberOf, senderOf } from "../wire/body.ts";
import { PeerSocket } from "../wire/peer-socket.ts";
import { engine, idEnd, idOf, jsonText, packet, upgradeRequest, writeText } from "../wire/socketio.ts";

const frame: ServerFrame = { opcode: 0, final: false, start: 0, end: 0 };
const eventHead = Buffer.from("42");
const ackHead = Buffer.from("43");
const ackTail = Buffer.from("[]");
const eventEnd = Buffer.from("]");
const pong = Buffer.from("3");
/** What the server sends us is `["m","<body>"]`. */
const bodyAt = '["m","'.length;

function roomOf({ kind, name }: Channel): string {
  return `${kind}:${name}`;
}

/** A server of ours relays from room to room; both hops are acknowledged by callbacks. */
export class SocketioClient extends PeerSocket implements PeerClient {
  readonly hasAckedAll = true;
  readonly #login: PeerLogin;
  readonly #events: PeerEvents;
  readonly #heads: readonly Buffer[];
  #isUpgraded = false;
  #sent = 0;

  constructor(port: number, login: PeerLogin, events: PeerEvents) {
    super(port);
    this.#login = login;
    this.#events = events;
    this.#heads = login.writes.map((channel) => Buffer.from(`["s","${roomOf(channel)}",`));
  }

  send(to: number, body: Buffer): void {
    const id = Buffer.from(`${++this.#sent}`);
    writeText(this, [eventHead, id, this.#heads[to] as Buffer, jsonText(body), eventEnd]);
  }

  ack(): void {}

  protected override opened(): void {
    this.write(Buffer.from(upgradeRequest()));
  }

  protected override closed(reason: string): void {
    this.#events.lost(reason);
  }

  protected override parse(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (!this.#isUpgraded) {
      const head = bytes.subarray(start, end).indexOf("\r\n\r\n");
      if (head < 0) return start;
      const status = bytes.toString("latin1", start, bytes.indexOf("\r\n"));
      if (!status.startsWith("HTTP/1.1 101")) this.end(`WebSocket refused: ${status}`);
      this.#isUpgraded = true;
      at = start + head + 4;
    }
    while (at < end && readServerFrame(bytes, at, end, frame)) {
      at = frame.end;
      if (frame.opcode === 1 && frame.final) this.#take(bytes, frame.start, frame.end);
      else this.end(`WebSocket opcode ${frame.opcode}`);
    }
    return at;
  }

  #take(bytes: Buffer, start: number, end: number): void {
    switch (bytes[start]) {
      case engine.message:
        return this.#packet(bytes, start, end);
      case engine.ping:
        return writeText(this, [pong]);
      case engine.open:
        return writeText(this, [Buffer.from("40")]);
      default:
        this.end(bytes.toString("utf8", start, end));
    }
  }

  #packet(bytes: Buffer, start: number, end: number): void {
    const idAt = start + 2;
    const at = idEnd(bytes, start, end);
    switch (bytes[start + 1]) {
      case packet.event:
        if (at > idAt) writeText(this, [ackHead, bytes.subarray(idAt, at), ackTail]);
        return this.#events.message(senderOf(bytes, at + bodyAt), numberOf(bytes, at + bodyAt));
      case packet.ack: {
        const id = idOf(bytes, idAt, at);
        return id === 0 ? this.#events.ready() : this.#events.stored(id);
      }
      case packet.connect:
        return writeText(this, [
          Buffer.from(`420${JSON.stringify(["enter", this.#login.reads.map(roomOf)])}`),
        ]);
      default:
        this.end(bytes.toString("utf8", start, end));
    }
  }
}
