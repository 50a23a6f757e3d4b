/** One sender and many members of one group, all online. A message is in flight until every member has received it. */
import { acknowledgeInTurn } from "../../load/reader.ts";
import { Run } from "../../load/run.ts";
import { Histogram, type Percentiles } from "../../measure/histogram.ts";
import { Position } from "../../measure/position.ts";
import { CpuMeter } from "../../process/cpu.ts";
import { openPeer } from "../client/open.ts";
import {
  type Channel,
  isAcknowledging,
  type PeerClient,
  type PeerEndpoint,
  type PeerEvents,
} from "../peer-client.ts";
import { newBody, setNumber } from "../wire/body.ts";

export interface PeerFanoutInput {
  readonly endpoint: PeerEndpoint;
  readonly group: string;
  /** Member i is `<prefix><i>`; `sender` is one more. */
  readonly members: number;
  readonly prefix: string;
  readonly sender: string;
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly warmMs: number;
  readonly measureMs: number;
}

export interface PeerFanoutResult {
  readonly deliveriesPerSecond: number;
  readonly received: Percentiles;
  readonly repeated: number;
  readonly cpuShare: number;
}

const mask = 0xfff;

/** The slowest have a few hundred messages per second, and thousands in flight. */
const drainMsMax = 300_000;

class Measure {
  readonly received = new Histogram();
  readonly sentAtMs = new Float64Array(mask + 1);
  readonly #members: number;
  /** How many members have a message, by its number. */
  readonly #counts = new Int32Array(mask + 1);
  deliveries = 0;
  readyCount = 0;
  isRecording = false;
  /** A message has reached everybody. */
  onComplete: (() => void) | undefined;

  constructor(members: number) {
    this.#members = members;
  }

  delivered(n: number): void {
    const slot = n & mask;
    this.deliveries++;
    if (this.isRecording) this.received.record(performance.now() - (this.sentAtMs[slot] as number));
    const count = (this.#counts[slot] as number) + 1;
    this.#counts[slot] = count < this.#members ? count : 0;
    if (count === this.#members) this.onComplete?.();
  }
}

class Member implements PeerEvents {
  readonly client: PeerClient;
  readonly position = new Position();
  readonly #measure: Measure;
  readonly #run: Run;
  readonly #user: string;

  constructor(input: PeerFanoutInput, index: number, measure: Measure, run: Run) {
    this.#measure = measure;
    this.#run = run;
    this.#user = `${input.prefix}${index}`;
    const reads: Channel[] = [{ kind: "group", name: input.group }];
    this.client = openPeer(
      input.endpoint,
      { index, user: this.#user, reads, writes: [], stays: false },
      this,
    );
  }

  ready(): void {
    this.#measure.readyCount++;
  }

  stored(): void {}

  message(_sender: number, n: number): void {
    const before = this.position.repeated;
    this.position.see(n);
    if (this.position.repeated === before) this.#measure.delivered(n);
  }

  lost(reason: string): void {
    this.#run.fail(`${this.#user}: ${reason}`);
  }
}

class Sender implements PeerEvents {
  readonly client: PeerClient;
  readonly #measure: Measure;
  readonly #run: Run;
  readonly #body: Buffer;
  sent = 0;
  storedCount = 0;

  constructor(input: PeerFanoutInput, measure: Measure, run: Run) {
    const { endpoint, sender: user, group, members: index } = input;
    this.#measure = measure;
    this.#run = run;
    this.#body = newBody(index, input.bodyBytes);
    const writes: Channel[] = [{ kind: "group", name: group }];
    this.client = openPeer(endpoint, { index, user, reads: [], writes, stays: false }, this);
  }

  send(): void {
    const n = ++this.sent;
    this.#measure.sentAtMs[n & mask] = performance.now();
    this.client.send(0, setNumber(this.#body, n));
  }

  ready(): void {
    this.#measure.readyCount++;
  }

  stored(): void {
    this.storedCount++;
  }

  message(): void {}

  lost(reason: string): void {
    this.#run.fail(`the sender: ${reason}`);
  }
}

/** Members may be on their way at once: more would overflow the queue of the listening socket. */
const dialingMax = 200;

async function dial(input: PeerFanoutInput, measure: Measure, run: Run): Promise<Member[]> {
  const members: Member[] = [];
  await run.until(
    "connecting",
    () => {
      while (members.length < input.members && members.length - measure.readyCount < dialingMax)
        members.push(new Member(input, members.length, measure, run));
      return measure.readyCount === input.members;
    },
    drainMsMax,
  );
  return members;
}

export async function peerFanout(input: PeerFanoutInput): Promise<PeerFanoutResult> {
  const run = new Run();
  const measure = new Measure(input.members);
  const members = await dial(input, measure, run);
  const sender = new Sender(input, measure, run);
  await run.until("connecting the sender", () => measure.readyCount === input.members + 1);
  const acks = acknowledgeInTurn(members.map(({ client }) => client));
  measure.onComplete = () => sender.send();
  for (let i = 0; i < input.inFlight; i++) sender.send();
  await run.pause(input.warmMs);
  const cpu = new CpuMeter();
  const startMs = performance.now();
  const before = measure.deliveries;
  measure.isRecording = true;
  await run.pause(input.measureMs);
  measure.isRecording = false;
  const deliveriesPerSecond = ((measure.deliveries - before) / (performance.now() - startMs)) * 1000;
  const cpuShare = cpu.share();
  measure.onComplete = undefined;
  // The run counts only if everybody has everything and has acknowledged it.
  const isStored = () => !isAcknowledging(input.endpoint) || sender.storedCount === sender.sent;
  await run.until(
    "delivering and acknowledging everything",
    () =>
      isStored() &&
      members.every(({ position, client }) => position.value === sender.sent && client.hasAckedAll),
    drainMsMax,
  );
  clearInterval(acks);
  run.end();
  for (const { client } of [sender, ...members]) client.close();
  const repeated = members.reduce((sum, { position }) => sum + position.repeated, 0);
  return { deliveriesPerSecond, received: measure.received.percentiles(), repeated, cpuShare };
}
