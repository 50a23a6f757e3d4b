/** Clients that do everything in lock step: all of them write, then all of them wait until everything has come. */
import { Client, type Login, type Trust } from "../load/client.ts";
import type { Run } from "../load/run.ts";
import { AckWriter, frameCode, SendWriter, seqOfMessage, seqOfSendOk, typeOf } from "../wire/frame-bytes.ts";
import type { Endpoint } from "../wire/receiver.ts";
import type { HeldProcess } from "./held-process.ts";

/** A machine that is busy with other things takes its time, and that is no cause to fail. */
const waitMsMax = 120_000;

export class CrowdMember extends Client {
  readonly #acks: AckWriter;
  readonly #writer: SendWriter;
  isReady = false;
  position = 0;
  frames = 0;
  stored = 0;
  received = 0;
  acknowledged = 0;
  receipts = 0;

  constructor(
    endpoint: Endpoint,
    login: Login,
    trust: Trust,
    run: Run,
    conversation: string,
    bodyBytes: number,
  ) {
    super(endpoint, login, trust, run);
    this.#acks = new AckWriter(conversation);
    this.#writer = new SendWriter(conversation, "c", bodyBytes);
  }

  send(count: number): void {
    for (let i = 0; i < count; i++) this.#writer.write(this.connection, 0);
  }

  ack(): void {
    this.#acks.write(this.connection, 0x8000_0000, this.position);
  }

  override frame(bytes: Buffer, start: number, end: number): void {
    this.frames++;
    if (typeOf(bytes, start) === frameCode.receipt) this.receipts++;
    super.frame(bytes, start, end);
  }

  protected override ready(): void {
    this.isReady = true;
  }

  protected override take(bytes: Buffer, start: number): void {
    switch (typeOf(bytes, start)) {
      case frameCode.message:
        // Entries of the server itself are there before anything is counted.
        if (this.isReady) this.received++;
        return this.#see(seqOfMessage(bytes, start));
      case frameCode.sendOk:
        this.stored++;
        return this.#see(seqOfSendOk(bytes, start));
      case frameCode.ackOk:
        this.acknowledged++;
        return;
      default:
        this.refused(`unexpected frame ${typeOf(bytes, start)}`);
    }
  }

  #see(seq: number): void {
    this.position = Math.max(this.position, seq);
  }
}

/** Who writes how much in a round, and who reads it. */
export interface Roles {
  readonly senders: readonly CrowdMember[];
  readonly readers: readonly CrowdMember[];
  /** Messages of each sender in one round. */
  readonly inFlight: number;
  /** Deliveries in one round, all readers together. */
  readonly deliveries: number;
  /** Those of the readers who acknowledge when all rounds are over. */
  readonly acknowledging: readonly CrowdMember[];
  /** Receipts that this brings to the senders, all together. */
  readonly receipts: number;
}

export class Crowd {
  readonly #run: Run;
  readonly #roles: Roles;
  readonly #members: readonly CrowdMember[];
  readonly #server: HeldProcess;

  constructor(run: Run, roles: Roles, server: HeldProcess) {
    this.#run = run;
    this.#roles = roles;
    this.#server = server;
    this.#members = [...new Set([...roles.senders, ...roles.readers])];
  }

  get frames(): number {
    return this.#sum(({ frames }) => frames);
  }

  get deliveries(): number {
    return this.#sum(({ received }) => received);
  }

  connected(): Promise<void> {
    return this.#run.until("connecting", () => this.#members.every(({ isReady }) => isReady), waitMsMax);
  }

  /** Everybody sends, `rounds` times; then everything is acknowledged. */
  async play(rounds: number): Promise<void> {
    const { senders, acknowledging, inFlight, deliveries, receipts } = this.#roles;
    for (let round = 0; round < rounds; round++) {
      const stored = this.#sum((member) => member.stored) + senders.length * inFlight;
      const received = this.deliveries + deliveries;
      await this.#step(senders, (sender) => sender.send(inFlight));
      await this.#run.until(
        "storing and delivering a round",
        () => this.#sum((member) => member.stored) >= stored && this.deliveries >= received,
        waitMsMax,
      );
    }
    const acknowledged = this.#sum((member) => member.acknowledged) + acknowledging.length;
    const told = this.#sum((member) => member.receipts) + receipts;
    await this.#step(acknowledging, (reader) => reader.ack());
    await this.#run.until(
      "acknowledging",
      () =>
        this.#sum((member) => member.acknowledged) >= acknowledged &&
        this.#sum((member) => member.receipts) >= told,
      waitMsMax,
    );
    // Polls that were asked again belong to what is counted.
    await this.#until("the server to read everything", () => this.#server.unread() === 0);
  }

  close(): void {
    this.#run.end();
    for (const { connection } of this.#members) connection.close();
  }

  /** Lays what all of `members` write before a server that stands still, then lets it go on. */
  async #step(members: readonly CrowdMember[], write: (member: CrowdMember) => void): Promise<void> {
    if (members.length === 0) return;
    const server = this.#server;
    await this.#until("the server to read everything", () => server.unread() === 0);
    server.stop();
    try {
      await this.#run.until("the server to stop", () => server.isStopped);
      for (const member of members) write(member);
      await this.#run.pause(2);
      await this.#until("laying the load", () => server.unread() >= members.length);
    } finally {
      server.continue();
    }
  }

  /** For what takes the kernel milliseconds to say: it is asked seldom. */
  async #until(what: string, done: () => boolean): Promise<void> {
    const startMs = performance.now();
    for (let waitMs = 2; !done(); waitMs = Math.min(waitMs * 2, 50)) {
      if (performance.now() - startMs > waitMsMax)
        throw new Error(`${what}: not within ${waitMsMax / 1000} s`);
      await this.#run.pause(waitMs);
    }
  }

  #sum(of: (member: CrowdMember) => number): number {
    let sum = 0;
    for (const member of this.#members) sum += of(member);
    return sum;
  }
}
