/** Users in pairs, everyone writes to the partner. A message is in flight until the server has acknowledged it. */
import { acknowledgeInTurn } from "../../load/reader.ts";
import { Run } from "../../load/run.ts";
import { Histogram, type Percentiles } from "../../measure/histogram.ts";
import { Position } from "../../measure/position.ts";
import { CpuMeter } from "../../process/cpu.ts";
import { openPeer } from "../client/open.ts";
import { isAcknowledging, type PeerClient, type PeerEndpoint, type PeerEvents } from "../peer-client.ts";
import { newBody, setNumber } from "../wire/body.ts";

export interface PeerDirectInput {
  readonly endpoint: PeerEndpoint;
  /** User i is `<prefix><i>` and writes to user i^1. */
  readonly users: number;
  readonly prefix: string;
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly warmMs: number;
  readonly measureMs: number;
}

export interface PeerDirectResult {
  /** Messages per second acknowledged by the server while it was measured; all of them came in the end. */
  readonly perSecond: number;
  readonly messages: number;
  readonly stored: Percentiles;
  readonly received: Percentiles;
  /** Messages that a receiver got more than once. */
  readonly repeated: number;
  readonly cpuShare: number;
}

/** The slowest have a few hundred messages per second, and thousands in flight. */
const drainMsMax = 300_000;

class Measure {
  readonly stored = new Histogram();
  readonly received = new Histogram();
  storedCount = 0;
  readyCount = 0;
  isRecording = false;
  isSending = true;
}

const sentMask = 0x3fff;

class Sender implements PeerEvents {
  readonly client: PeerClient;
  readonly position = new Position();
  readonly #measure: Measure;
  readonly #run: Run;
  readonly #user: string;
  readonly #inFlight: number;
  readonly #isAcknowledged: boolean;
  readonly #body: Buffer;
  readonly #sentAtMs = new Float64Array(sentMask + 1);
  partner: Sender | undefined;
  sent = 0;
  storedCount = 0;

  constructor(input: PeerDirectInput, index: number, measure: Measure, run: Run) {
    const { endpoint, prefix, inFlight, bodyBytes } = input;
    this.#measure = measure;
    this.#run = run;
    this.#user = `${prefix}${index}`;
    this.#inFlight = inFlight;
    this.#isAcknowledged = isAcknowledging(endpoint);
    this.#body = newBody(index, bodyBytes);
    const reads = [{ kind: "inbox" as const, name: this.#user }];
    const writes = [{ kind: "inbox" as const, name: `${prefix}${index ^ 1}` }];
    this.client = openPeer(endpoint, { index, user: this.#user, reads, writes, stays: false }, this);
  }

  start(): void {
    while (this.sent - this.storedCount < this.#inFlight) this.#send(performance.now());
  }

  ready(): void {
    this.#measure.readyCount++;
  }

  stored(n: number): void {
    const measure = this.#measure;
    const nowMs = performance.now();
    this.storedCount++;
    measure.storedCount++;
    if (measure.isRecording) measure.stored.record(nowMs - this.sentAtMs(n));
    if (measure.isSending) this.#send(nowMs);
  }

  message(_sender: number, n: number): void {
    const partner = this.partner as Sender;
    if (this.#measure.isRecording) this.#measure.received.record(performance.now() - partner.sentAtMs(n));
    this.position.see(n);
    if (!this.#isAcknowledged) partner.stored(n);
  }

  lost(reason: string): void {
    this.#run.fail(`${this.#user}: ${reason}`);
  }

  sentAtMs(n: number): number {
    return this.#sentAtMs[n & sentMask] as number;
  }

  #send(nowMs: number): void {
    const n = ++this.sent;
    this.#sentAtMs[n & sentMask] = nowMs;
    this.client.send(0, setNumber(this.#body, n));
  }
}

export async function peerDirect(input: PeerDirectInput): Promise<PeerDirectResult> {
  const run = new Run();
  const measure = new Measure();
  const senders = Array.from({ length: input.users }, (_, index) => new Sender(input, index, measure, run));
  senders.forEach((sender, index) => {
    sender.partner = senders[index ^ 1];
  });
  await run.until("connecting", () => measure.readyCount === senders.length);
  const acks = acknowledgeInTurn(senders.map(({ client }) => client));
  for (const sender of senders) sender.start();
  await run.pause(input.warmMs);
  const cpu = new CpuMeter();
  const startMs = performance.now();
  const before = measure.storedCount;
  measure.isRecording = true;
  await run.pause(input.measureMs);
  measure.isRecording = false;
  const perSecond = ((measure.storedCount - before) / (performance.now() - startMs)) * 1000;
  const cpuShare = cpu.share();
  measure.isSending = false;
  // The run counts only if everything that was sent is acknowledged by the server and by its receiver.
  await run.until(
    "storing and acknowledging everything",
    () =>
      senders.every(
        ({ sent, storedCount, partner, client }) =>
          storedCount === sent && partner?.position.value === sent && client.hasAckedAll,
      ),
    drainMsMax,
  );
  clearInterval(acks);
  run.end();
  for (const { client } of senders) client.close();
  return {
    perSecond,
    messages: senders.reduce((sum, { sent }) => sum + sent, 0),
    stored: measure.stored.percentiles(),
    received: measure.received.percentiles(),
    repeated: senders.reduce((sum, { position }) => sum + position.repeated, 0),
    cpuShare,
  };
}
