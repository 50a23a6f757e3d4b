import type { Channel, PeerClient, PeerEvents, PeerLogin } from "../peer-client.ts";
import { numberOf, senderOf } from "../wire/body.ts";
import {
  connectPacket,
  numberOfPacketId,
  type Packet,
  packetIdOf,
  packetType,
  readPacket,
  subscribePacket,
  text,
  writePuback,
  writePublish,
} from "../wire/mqtt.ts";
import { PeerSocket } from "../wire/peer-socket.ts";

const packet: Packet = { head: 0, start: 0, end: 0 };

function topicOf({ kind, name }: Channel): string {
  return `${kind}/${name}`;
}

/** MQTT 3.1.1, everything with QoS 1. */
export class MqttClient extends PeerSocket implements PeerClient {
  readonly hasAckedAll = true;
  readonly #login: PeerLogin;
  readonly #events: PeerEvents;
  readonly #topics: readonly Buffer[];
  #sent = 0;

  constructor(port: number, login: PeerLogin, events: PeerEvents) {
    super(port);
    this.#login = login;
    this.#events = events;
    this.#topics = login.writes.map((channel) => text(topicOf(channel)));
  }

  send(to: number, body: Buffer): void {
    writePublish(this, this.#topics[to] as Buffer, packetIdOf(++this.#sent), body);
  }

  ack(): void {}

  protected override opened(): void {
    this.write(connectPacket(this.#login.user, !this.#login.stays));
  }

  protected override closed(reason: string): void {
    this.#events.lost(reason);
  }

  protected override parse(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && readPacket(bytes, at, end, packet)) {
      at = packet.end;
      this.#take(bytes, packet);
    }
    return at;
  }

  #take(bytes: Buffer, { head, start, end }: Packet): void {
    switch (head >> 4) {
      case packetType.publish:
        return this.#message(bytes, head, start);
      case packetType.puback:
        return this.#events.stored(numberOfPacketId(bytes.readUInt16BE(start), this.#sent));
      case packetType.connack:
        return this.#connected(bytes[start + 1] as number);
      case packetType.suback:
        if (bytes.subarray(start + 2, end).includes(0x80)) return this.end("subscription refused");
        return this.#events.ready();
      default:
        this.end(`unexpected MQTT packet of type ${head >> 4}`);
    }
  }

  #connected(code: number): void {
    if (code !== 0) return this.end(`MQTT connection refused with code ${code}`);
    const { reads } = this.#login;
    if (reads.length === 0) return this.#events.ready();
    this.write(subscribePacket(1, reads.map(topicOf)));
  }

  #message(bytes: Buffer, head: number, start: number): void {
    let at = start + 2 + bytes.readUInt16BE(start);
    if ((head & 6) !== 0) {
      writePuback(this, bytes.readUInt16BE(at));
      at += 2;
    }
    this.#events.message(senderOf(bytes, at), numberOf(bytes, at));
  }
}
