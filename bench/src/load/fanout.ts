/**
 * One sender and many members of one group, all online. A message is in flight until every member has received it:
 * without that a sender would run ahead of its readers, and nothing but queues would be measured.
 */
import { decodeFrame, type FrameNamed } from "@hongyan/protocol";
import { Histogram, type Percentiles } from "../measure/histogram.ts";
import { CpuMeter, cpuMs } from "../process/cpu.ts";
import { bodyStart, encode, frameCode, SendWriter, typeOf } from "../wire/frame-bytes.ts";
import type { Transport } from "../wire/receiver.ts";
import { Client, type Trust } from "./client.ts";
import { repeatedOf } from "./direct.ts";
import { type Nodes, portOf } from "./nodes.ts";
import { Pace } from "./pace.ts";
import { acknowledgeInTurn, Reader } from "./reader.ts";
import { Run } from "./run.ts";

export interface FanoutInput extends Nodes {
  readonly transport: Transport;
  readonly trust: Trust;
  readonly conversation: string;
  /** Member i is `<prefix><i>`. */
  readonly members: number;
  readonly prefix: string;
  /** Who sends; absent where the other side sends by itself (the bare write loop). */
  readonly sender?: string | undefined;
  readonly inFlight: number;
  readonly bodyBytes: number;
  /** What client message ids begin with: another one where the sender has sent to the conversation before. */
  readonly idPrefix?: string | undefined;
  readonly warmMs: number;
  readonly measureMs: number;
  /** Messages per second, whatever the answers; absent: as many as the window allows. */
  readonly rate?: number | undefined;
  /** The process whose CPU is counted while it is measured. */
  readonly serverPid?: number | undefined;
}

export interface FanoutResult {
  /** Messages per second that reached a member, all members together. */
  readonly deliveriesPerSecond: number;
  readonly received: Percentiles;
  /** Messages that came again, as they were not acknowledged in time. */
  readonly repeated: number;
  readonly cpuShare: number;
  /** Milliseconds of CPU of `serverPid` for each delivery; 0 where none was asked for. */
  readonly serverCpuMsEach: number;
  /** At a fixed rate: how late the generator itself was at worst, in milliseconds. */
  readonly lateMs: number;
}

const countMask = 0xfff;
const ackId = 0xffff_0003;

class Measure {
  readonly received = new Histogram();
  readonly members: number;
  /** How many members have a message, by its number. */
  readonly #counts = new Int32Array(countMask + 1);
  deliveries = 0;
  completed = 0;
  readyCount = 0;
  isRecording = false;
  /** A message has reached everybody. */
  onComplete: (() => void) | undefined;

  constructor(members: number) {
    this.members = members;
  }

  delivered(number: number, sentAtMs: number): void {
    this.deliveries++;
    if (this.isRecording) this.received.record(performance.now() - sentAtMs);
    const slot = number & countMask;
    const count = (this.#counts[slot] as number) + 1;
    if (count < this.members) {
      this.#counts[slot] = count;
      return;
    }
    this.#counts[slot] = 0;
    this.completed++;
    this.onComplete?.();
  }
}

class Member extends Reader {
  readonly #measure: Measure;
  receivedCount = 0;

  constructor(input: FanoutInput, index: number, measure: Measure, run: Run) {
    const login = { user: `${input.prefix}${index}`, device: "d" };
    const { transport, trust, conversation } = input;
    super({ transport, port: portOf(input, index) }, login, trust, run, conversation);
    this.#measure = measure;
  }

  protected override ready(): void {
    this.#measure.readyCount++;
  }

  protected override message(bytes: Buffer, start: number): void {
    // Entries of the server itself, read with the backlog before the run.
    const at = bodyStart(bytes, start);
    if (bytes[at] === 0x7b) return;
    this.receivedCount++;
    this.#measure.delivered(bytes.readUInt32BE(at + 8), bytes.readDoubleBE(at));
  }

  protected override other(bytes: Buffer, start: number, end: number): void {
    this.refused(`unexpected frame ${typeOf(bytes, start)} of ${end - start} bytes`);
  }
}

class Sender extends Client {
  readonly #writer: SendWriter;
  readonly #onReady: () => void;
  readonly #conversation: string;
  storedCount = 0;
  #lastSeq = 0;
  hasAcked = false;

  constructor(input: FanoutInput, user: string, run: Run, onReady: () => void) {
    super(input, { user, device: "d" }, input.trust, run);
    this.#writer = new SendWriter(input.conversation, input.idPrefix ?? "f", input.bodyBytes);
    this.#onReady = onReady;
    this.#conversation = input.conversation;
  }

  get sent(): number {
    return this.#writer.n;
  }

  send(): void {
    this.#writer.write(this.connection, performance.now());
  }

  protected override ready(): void {
    this.#onReady();
  }

  protected override take(bytes: Buffer, start: number, end: number): void {
    if (typeOf(bytes, start) === frameCode.ackOk) this.hasAcked = true;
    if (typeOf(bytes, start) !== frameCode.sendOk) return;
    this.storedCount++;
    if (this.storedCount < this.sent) return;
    const reply = decodeFrame(bytes, start, end).frame as FrameNamed<"send.ok">;
    this.#lastSeq = reply.seq;
  }

  /** What it has sent would wait for it the next time it signs in. */
  acknowledge(): void {
    const positions = [[this.#conversation, this.#lastSeq]] as const;
    this.connection.write(encode({ type: "ack", id: ackId, positions }));
  }
}

export async function fanout(input: FanoutInput): Promise<FanoutResult> {
  const run = new Run();
  const measure = new Measure(input.members);
  const members = Array.from({ length: input.members }, (_, index) => new Member(input, index, measure, run));
  let isSenderReady = input.sender === undefined;
  const sender =
    input.sender === undefined
      ? undefined
      : new Sender(input, input.sender, run, () => {
          isSenderReady = true;
        });
  await run.until("connecting", () => isSenderReady && measure.readyCount === members.length);
  const acks = sender === undefined ? undefined : acknowledgeInTurn(members);
  const pace = sender === undefined || input.rate === undefined ? undefined : new Pace([sender], input.rate);
  if (sender !== undefined && pace === undefined) {
    measure.onComplete = () => sender.send();
    for (let i = 0; i < input.inFlight; i++) sender.send();
  }
  await run.pause(input.warmMs);
  const serverCpu = () => (input.serverPid === undefined ? 0 : cpuMs(input.serverPid));
  const serverCpuBefore = serverCpu();
  if (pace !== undefined) pace.lateMsMax = 0;
  const cpu = new CpuMeter();
  const startMs = performance.now();
  const before = measure.deliveries;
  measure.isRecording = true;
  await run.pause(input.measureMs);
  measure.isRecording = false;
  const deliveries = measure.deliveries - before;
  const deliveriesPerSecond = (deliveries / (performance.now() - startMs)) * 1000;
  const serverCpuMsEach = (serverCpu() - serverCpuBefore) / deliveries;
  const cpuShare = cpu.share();
  const lateMs = pace?.lateMsMax ?? 0;
  pace?.stop();
  measure.onComplete = undefined;
  if (sender !== undefined) {
    // The run counts only if everybody has everything once and has acknowledged it.
    await run.until(
      "delivering and acknowledging everything",
      () =>
        sender.storedCount === sender.sent &&
        members.every((member) => member.receivedCount === sender.sent && member.hasAckedAll),
    );
  }
  if (sender !== undefined) {
    sender.acknowledge();
    await run.until("acknowledging what was sent", () => sender.hasAcked);
  }
  clearInterval(acks);
  run.end();
  sender?.connection.close();
  for (const member of members) member.connection.close();
  const received = measure.received.percentiles();
  const repeated = repeatedOf(members, input);
  return { deliveriesPerSecond, received, repeated, cpuShare, serverCpuMsEach, lateMs };
}
