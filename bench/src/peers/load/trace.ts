/**
 * A recorded community at full speed: everybody is online, who ever writes in a group reads it, and each message goes
 * to all other readers of its group. Deliveries that are outstanding are bounded, so that no queue is measured. What is
 * slow does not get to the end of the trace: it is stopped, and has the rate of the part that it played.
 */
import { acknowledgeInTurn } from "../../load/reader.ts";
import { Run } from "../../load/run.ts";
import { Histogram, type Percentiles } from "../../measure/histogram.ts";
import { CpuMeter } from "../../process/cpu.ts";
import { type Script, userId } from "../../replay/script.ts";
import { openPeer } from "../client/open.ts";
import {
  type Channel,
  isAcknowledging,
  type PeerClient,
  type PeerEndpoint,
  type PeerEvents,
} from "../peer-client.ts";
import { scriptFrom, type TraceSource } from "../trace-source.ts";
import { bodyBytesMin, newBody, setNumber } from "../wire/body.ts";

export interface PeerTraceInput {
  readonly endpoint: PeerEndpoint;
  readonly source: TraceSource;
  /** Deliveries that may be outstanding before the next message is sent. */
  readonly window: number;
  /** Milliseconds after which playing ends, wherever it is. */
  readonly playMsMax: number;
}

export interface PeerTraceResult {
  readonly deliveriesPerSecond: number;
  readonly messages: number;
  readonly messagesPerSecond: number;
  readonly deliveries: number;
  readonly received: Percentiles;
  readonly repeated: number;
  readonly cpuShare: number;
}

const dialingMax = 100;
const dialMsMax = 120_000;
const silenceMsMax = 10_000;
const drainMsMax = 120_000;

class Play {
  readonly #script: Script;
  readonly received = new Histogram();
  readonly #sentAtMs: Float64Array;
  /** How many readers have a line, by the number of the line. */
  readonly #counts: Int32Array;
  /** Line that is sent next. */
  next = 0;
  expected = 0;
  delivered = 0;
  stored = 0;
  repeated = 0;
  readyCount = 0;

  constructor(script: Script) {
    this.#script = script;
    this.#sentAtMs = new Float64Array(script.lines.length);
    this.#counts = new Int32Array(script.lines.length);
  }

  get isSent(): boolean {
    return this.next === this.#script.lines.length;
  }

  get isComplete(): boolean {
    return this.isSent && this.delivered === this.expected;
  }

  /** Sends until the window is full. */
  send(clients: readonly Member[], window: number): void {
    while (!this.isSent && this.expected - this.delivered < window) {
      const at = this.next++;
      const { group, user, body } = this.#script.lines[at] as Script["lines"][number];
      this.#sentAtMs[at] = performance.now();
      this.expected += this.#readers(at);
      clients[user]?.say(group, at, body);
    }
  }

  /** A reader has message `n`, which is line n − 1. */
  arrived(n: number): void {
    const at = n - 1;
    const count = (this.#counts[at] as number) + 1;
    this.#counts[at] = count;
    if (count > this.#readers(at)) {
      this.repeated++;
      return;
    }
    this.delivered++;
    this.received.record(performance.now() - (this.#sentAtMs[at] as number));
  }

  #readers(at: number): number {
    const { group } = this.#script.lines[at] as Script["lines"][number];
    return (this.#script.groups[group]?.members.length ?? 1) - 1;
  }
}

class Member implements PeerEvents {
  readonly client: PeerClient;
  readonly #index: number;
  readonly #groups: readonly number[];
  readonly #play: Play;
  readonly #run: Run;

  constructor(endpoint: PeerEndpoint, index: number, script: Script, play: Play, run: Run) {
    this.#index = index;
    this.#play = play;
    this.#run = run;
    this.#groups = script.groups.flatMap(({ members }, group) => (members.includes(index) ? [group] : []));
    const channels: Channel[] = this.#groups.map((group) => ({ kind: "group", name: `g${group}` }));
    this.client = openPeer(
      endpoint,
      { index, user: userId(index), reads: channels, writes: channels, stays: false },
      this,
    );
  }

  say(group: number, line: number, text: Buffer): void {
    const body = newBody(this.#index, bodyBytesMin + text.length);
    text.copy(body, bodyBytesMin);
    this.client.send(this.#groups.indexOf(group), setNumber(body, line + 1));
  }

  ready(): void {
    this.#play.readyCount++;
  }

  stored(): void {
    this.#play.stored++;
  }

  /** Most systems give a message back to who sent it, some do not: it is counted for neither. */
  message(sender: number, n: number): void {
    if (sender !== this.#index) this.#play.arrived(n);
  }

  lost(reason: string): void {
    this.#run.fail(`${userId(this.#index)}: ${reason}`);
  }
}

export async function peerTrace({
  endpoint,
  source,
  window,
  playMsMax,
}: PeerTraceInput): Promise<PeerTraceResult> {
  const script = scriptFrom(source);
  const run = new Run();
  const play = new Play(script);
  const members: Member[] = [];
  const isDialed = () => {
    while (members.length < script.users && members.length - play.readyCount < dialingMax)
      members.push(new Member(endpoint, members.length, script, play, run));
    return play.readyCount === script.users;
  };
  await run.until("connecting", isDialed, dialMsMax);
  const acks = acknowledgeInTurn(members.map(({ client }) => client));
  const cpu = new CpuMeter();
  const startMs = performance.now();
  let [last, lastAtMs] = [0, startMs];
  const checkSilence = () => {
    if (play.delivered > last || play.delivered === play.expected)
      [last, lastAtMs] = [play.delivered, performance.now()];
    else if (performance.now() - lastAtMs > silenceMsMax)
      run.fail(`nothing came for ${silenceMsMax / 1000} s, ${play.expected - play.delivered} are missing`);
  };
  const isOver = () => {
    checkSilence();
    play.send(members, window);
    return play.isComplete || performance.now() - startMs >= playMsMax;
  };
  await run.until("playing the trace", isOver, playMsMax + 10_000);
  const seconds = (performance.now() - startMs) / 1000;
  const [messages, deliveries] = [play.next, play.delivered];
  const cpuShare = cpu.share();
  // What loses some of it has no rate.
  const isAllThere = () => {
    checkSilence();
    const isStored = !isAcknowledging(endpoint) || play.stored === messages;
    return isStored && play.delivered === play.expected;
  };
  await run.until("delivering and storing everything", isAllThere, drainMsMax);
  clearInterval(acks);
  run.end();
  for (const { client } of members) client.close();
  return {
    deliveriesPerSecond: deliveries / seconds,
    messages,
    messagesPerSecond: messages / seconds,
    deliveries,
    received: play.received.percentiles(),
    repeated: play.repeated,
    cpuShare,
  };
}
