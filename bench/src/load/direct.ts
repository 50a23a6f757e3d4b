/** Users in pairs, everyone writes to the partner. A message is in flight until it is stored (`send.ok`). */
import { directConversationId } from "@hongyan/protocol";
import { Histogram, type Percentiles } from "../measure/histogram.ts";
import type { Position } from "../measure/position.ts";
import { CpuMeter } from "../process/cpu.ts";
import { bodyStart, frameCode, idOf, SendWriter, seqOfSendOk, typeOf } from "../wire/frame-bytes.ts";
import type { Transport } from "../wire/receiver.ts";
import type { Trust } from "./client.ts";
import { type Nodes, portInPairs } from "./nodes.ts";
import { Pace } from "./pace.ts";
import { acknowledgeInTurn, Reader } from "./reader.ts";
import { Run } from "./run.ts";

export interface DirectInput extends Nodes {
  readonly transport: Transport;
  readonly trust: Trust;
  /** User i is `<prefix><i>` and writes to user i^1. */
  readonly users: number;
  readonly prefix: string;
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** Messages per second of all users together, whatever the answers; absent: as many as the window allows. */
  readonly rate?: number | undefined;
}

export interface DirectResult {
  /** Messages per second stored while it was measured; all of them were acknowledged by their receiver in the end. */
  readonly perSecond: number;
  /** All messages of the run. */
  readonly messages: number;
  readonly stored: Percentiles;
  readonly received: Percentiles;
  /** Messages that came again, as they were not acknowledged in time. */
  readonly repeated: number;
  /** Share of one core that the generator used while it was measured. */
  readonly cpuShare: number;
  /** At a fixed rate: how late the generator itself was at worst, in milliseconds. */
  readonly lateMs: number;
}

/** What all users of a run share. */
export class Measure {
  readonly stored = new Histogram();
  received = new Histogram();
  storedCount = 0;
  readyCount = 0;
  isRecording = false;
  isSending = true;
}

const sentMask = 0x3fff;

export class Sender extends Reader {
  readonly #measure: Measure;
  readonly #writer: SendWriter;
  readonly #inFlight: number;
  readonly #isPaced: boolean;
  readonly #sentAtMs = new Float64Array(sentMask + 1);
  storedCount = 0;
  receivedCount = 0;

  constructor(input: DirectInput, index: number, measure: Measure, run: Run) {
    const user = `${input.prefix}${index}`;
    const conversation = directConversationId(user, `${input.prefix}${index ^ 1}`);
    const { transport, trust } = input;
    super(
      { transport, port: portInPairs(input, index) },
      { user, device: `d${index}` },
      trust,
      run,
      conversation,
    );
    this.#measure = measure;
    this.#writer = new SendWriter(conversation, `d${index}`, input.bodyBytes);
    this.#inFlight = input.inFlight;
    this.#isPaced = input.rate !== undefined;
  }

  get sent(): number {
    return this.#writer.n;
  }

  /** Fills the window. */
  start(): void {
    const nowMs = performance.now();
    while (this.#writer.n - this.storedCount < this.#inFlight) this.send(nowMs);
  }

  send(nowMs: number): void {
    const n = this.#writer.write(this.connection, nowMs);
    this.#sentAtMs[n & sentMask] = nowMs;
  }

  protected override ready(): void {
    this.#measure.readyCount++;
  }

  /** Both write, so that neither the first push nor the first answer need have seq 1. */
  protected override begins(): number {
    return 0;
  }

  protected override message(bytes: Buffer, start: number): void {
    this.receivedCount++;
    if (this.#measure.isRecording)
      this.#measure.received.record(performance.now() - bytes.readDoubleBE(bodyStart(bytes, start)));
  }

  protected override other(bytes: Buffer, start: number, end: number): void {
    if (typeOf(bytes, start) !== frameCode.sendOk)
      return this.refused(`unexpected frame ${typeOf(bytes, start)} of ${end - start} bytes`);
    const measure = this.#measure;
    const nowMs = performance.now();
    this.storedCount++;
    measure.storedCount++;
    this.see(seqOfSendOk(bytes, start));
    if (measure.isRecording)
      measure.stored.record(nowMs - (this.#sentAtMs[idOf(bytes, start) & sentMask] as number));
    if (measure.isSending && !this.#isPaced) this.send(nowMs);
  }
}

export async function direct(input: DirectInput): Promise<DirectResult> {
  const run = new Run();
  const measure = new Measure();
  const senders = Array.from({ length: input.users }, (_, index) => new Sender(input, index, measure, run));
  await run.until("connecting", () => measure.readyCount === senders.length);
  const acks = acknowledgeInTurn(senders);
  const pace = input.rate === undefined ? undefined : new Pace(senders, input.rate);
  if (pace === undefined) for (const sender of senders) sender.start();
  await run.pause(input.warmMs);
  const cpu = new CpuMeter();
  const startMs = performance.now();
  const before = measure.storedCount;
  if (pace !== undefined) pace.lateMsMax = 0;
  measure.isRecording = true;
  await run.pause(input.measureMs);
  measure.isRecording = false;
  const perSecond = ((measure.storedCount - before) / (performance.now() - startMs)) * 1000;
  const cpuShare = cpu.share();
  const lateMs = pace?.lateMsMax ?? 0;
  measure.isSending = false;
  pace?.stop();
  await run.until(
    "storing and acknowledging everything",
    () => senders.every((sender, index) => isComplete(sender, senders[index ^ 1])),
    30_000,
    () => missing(senders),
  );
  clearInterval(acks);
  run.end();
  for (const sender of senders) sender.connection.close();
  const repeated = repeatedOf(senders, input);
  return {
    repeated,
    perSecond,
    messages: senders.reduce((sum, sender) => sum + sender.sent, 0),
    stored: measure.stored.percentiles(),
    received: measure.received.percentiles(),
    cpuShare,
    lateMs,
  };
}

/**
 * How many messages came more than once. A device that has not acknowledged in time gets them again, which a single
 * node that keeps up never does.
 */
export function repeatedOf(readers: readonly { readonly position: Position }[], { ports }: Nodes): number {
  const repeated = readers.reduce((sum, { position }) => sum + position.repeated, 0);
  if (repeated > 0 && ports === undefined) throw new Error(`${repeated} messages came twice`);
  return repeated;
}

/** Of the first that is not complete. */
function missing(senders: readonly Sender[]): string {
  const index = senders.findIndex((one, at) => !isComplete(one, senders[at ^ 1]));
  const [one, partner] = [senders[index], senders[index ^ 1]];
  if (one === undefined || partner === undefined) return "";
  const { sent, storedCount, position, ackedPosition } = one;
  return `; user ${index}: ${storedCount} of ${sent} stored, ${partner.receivedCount} received, read up to ${position.value} of ${sent + partner.sent}, ${position.aheadCount} ahead, ${position.repeated} repeated, acknowledged ${ackedPosition}`;
}

/** The run counts only if everything that was sent is stored, received and acknowledged. */
export function isComplete(sender: Sender, partner: Sender | undefined): boolean {
  if (partner === undefined) throw new Error("the number of users is odd");
  return (
    sender.storedCount === sender.sent &&
    partner.receivedCount === sender.sent &&
    sender.position.value === sender.sent + partner.sent &&
    sender.hasAckedAll
  );
}
