import { Position } from "../measure/position.ts";
import { AckWriter, frameCode, seqOfMessage, typeOf } from "../wire/frame-bytes.ts";
import type { Endpoint } from "../wire/receiver.ts";
import { Client, type Login, type Trust } from "./client.ts";
import type { Run } from "./run.ts";

/** As the SDK does: one cumulative acknowledgement per so many messages, or after so long. */
export const ackEvery = 64;
export const ackAfterMs = 200;
/** Ids of acknowledgements have the highest bit set: they do not collide with those of messages. */
const ackIds = 0x8000_0000;

/** A client that reads one conversation and acknowledges what it has, one acknowledgement at a time. */
export abstract class Reader extends Client {
  readonly #acks: AckWriter;
  /** Everything up to here was received, or sent by this client itself. */
  readonly position = new Position();
  /** Everything up to here was acknowledged, durably. */
  ackedPosition = 0;
  #ackSent = 0;
  #ackId = 0;
  #isStarted = false;

  constructor(endpoint: Endpoint, login: Login, trust: Trust, run: Run, conversation: string) {
    super(endpoint, login, trust, run);
    this.#acks = new AckWriter(conversation);
  }

  protected take(bytes: Buffer, start: number, end: number): void {
    switch (typeOf(bytes, start)) {
      case frameCode.message: {
        const seq = seqOfMessage(bytes, start);
        if (this.see(seq)) this.message(bytes, start, seq);
        return;
      }
      case frameCode.ackOk:
        this.ackedPosition = this.#ackSent;
        return;
      default:
        this.other(bytes, start, end);
    }
  }

  /** The entry at `seq` is here; whether it was not before. The first one says where this reader begins. */
  protected see(seq: number): boolean {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.position.value = this.begins(seq);
      this.#ackSent = this.position.value;
      this.ackedPosition = this.position.value;
    }
    const isNew = this.position.see(seq);
    if (this.position.value - this.#ackSent >= ackEvery) this.ack();
    return isNew;
  }

  /** Position before the first entry. */
  protected begins(firstSeq: number): number {
    return firstSeq - 1;
  }

  ack(): void {
    if (this.ackedPosition !== this.#ackSent || this.position.value === this.#ackSent) return;
    this.#ackSent = this.position.value;
    this.#ackId = (this.#ackId + 1) & 0xffffff;
    this.#acks.write(this.connection, (ackIds | this.#ackId) >>> 0, this.#ackSent);
  }

  get hasAckedAll(): boolean {
    return this.ackedPosition === this.position.value && this.position.aheadCount === 0;
  }

  /** One that was not here before. */
  protected abstract message(bytes: Buffer, start: number, seq: number): void;
  protected abstract other(bytes: Buffer, start: number, end: number): void;
}

const slices = 20;

/** Acknowledges for all readers every `ackAfterMs`, spread over that time as the clocks of real devices are. */
export function acknowledgeInTurn(readers: readonly { ack(): void }[]): NodeJS.Timeout {
  let slice = 0;
  return setInterval(() => {
    slice = (slice + 1) % slices;
    for (let i = slice; i < readers.length; i += slices) readers[i]?.ack();
  }, ackAfterMs / slices);
}
