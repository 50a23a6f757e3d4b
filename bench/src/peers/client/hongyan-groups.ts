import { Client } from "../../load/client.ts";
import { ackEvery } from "../../load/reader.ts";
import { Run } from "../../load/run.ts";
import { Position } from "../../measure/position.ts";
import {
  encode,
  frameCode,
  idOf,
  SendWriter,
  seqOfMessage,
  seqOfSendOk,
  stringEnd,
  typeOf,
} from "../../wire/frame-bytes.ts";
import type { PeerClient, PeerEvents, PeerLogin } from "../peer-client.ts";
import { type HongyanPlace, tellMessage } from "./hongyan-message.ts";

interface Group {
  readonly name: string;
  readonly writer: SendWriter;
  /** Everything up to here was received or sent; undefined until the first entry says where to begin. */
  position: Position | undefined;
  ackSent: number;
}

const idMask = 0xfff;
/** Ids of acknowledgements have the highest bit set: they do not collide with those of messages. */
const ackIds = 0x8000_0000;
/** Ours with any number of groups: one acknowledgement for all of them, after 64 messages or 200 ms. */
export class HongyanGroupsClient extends Client implements PeerClient {
  readonly #events: PeerEvents;
  readonly #groups: readonly Group[];
  readonly #byName: ReadonlyMap<string, Group>;
  /** To which group a send went, by the low bits of its id. */
  readonly #groupOf: (Group | undefined)[] = new Array(idMask + 1).fill(undefined);
  #id = 0;
  #received = 0;
  #acks = 0;
  #isAcking = false;

  constructor(
    { port, transport, trust }: HongyanPlace,
    { index, user, writes }: PeerLogin,
    events: PeerEvents,
  ) {
    super({ transport, port }, { user, device: `d${index}` }, trust, new Run());
    this.#events = events;
    this.#groups = writes.map(({ name }) => ({
      name,
      writer: new SendWriter(name, `d${index}`, 0),
      position: undefined,
      ackSent: 0,
    }));
    this.#byName = new Map(this.#groups.map((group) => [group.name, group]));
  }

  get hasAckedAll(): boolean {
    return !this.#isAcking && this.#behind().length === 0;
  }

  send(to: number, body: Buffer): void {
    const group = this.#groups[to] as Group;
    const id = ++this.#id;
    this.#groupOf[id & idMask] = group;
    group.writer.writeBody(this.connection, body, id);
  }

  ack(): void {
    if (this.#isAcking) return;
    const behind = this.#behind();
    if (behind.length === 0) return;
    this.#isAcking = true;
    this.#received = 0;
    const positions = behind.map((group): [string, number] => {
      group.ackSent = group.position?.value ?? 0;
      return [group.name, group.ackSent];
    });
    this.#acks = (this.#acks + 1) & 0xffffff;
    this.connection.write(encode({ type: "ack", id: (ackIds | this.#acks) >>> 0, positions }));
  }

  release(): void {
    this.connection.release();
  }

  close(): void {
    this.connection.close();
  }

  protected override refused(reason: string): void {
    this.#events.lost(reason);
  }

  protected override ready(): void {
    this.#events.ready();
  }

  protected override take(bytes: Buffer, start: number, end: number): void {
    switch (typeOf(bytes, start)) {
      case frameCode.message:
        return this.#message(bytes, start);
      case frameCode.sendOk: {
        const id = idOf(bytes, start);
        const group = this.#groupOf[id & idMask];
        if (group !== undefined) this.#see(group, seqOfSendOk(bytes, start));
        return this.#events.stored(id);
      }
      case frameCode.ackOk:
        this.#isAcking = false;
        return;
      default:
        this.refused(`unexpected frame ${typeOf(bytes, start)} of ${end - start} bytes`);
    }
  }

  #message(bytes: Buffer, start: number): void {
    const nameStart = start + 13;
    // Names of groups are shorter than 32 bytes: one byte says how long they are.
    const group = this.#byName.get(bytes.toString("latin1", nameStart + 1, stringEnd(bytes, nameStart)));
    if (group === undefined) return this.refused("a message of a group that nobody asked for");
    this.#see(group, seqOfMessage(bytes, start));
    tellMessage(this.#events, bytes, start);
    if (++this.#received >= ackEvery) this.ack();
  }

  /** The server's own entries are read before anything is sent: the first of them says where the reader begins. */
  #see(group: Group, seq: number): void {
    group.position ??= new Position(seq - 1);
    group.position.see(seq);
  }

  #behind(): Group[] {
    return this.#groups.filter(({ position, ackSent }) => position !== undefined && position.value > ackSent);
  }
}
