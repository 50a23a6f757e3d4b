import { setTimeout as sleep } from "node:timers/promises";
import type { IdleInput } from "../load/idle.ts";
import type { Child } from "../process/child.ts";
import { type Memory, memoryOf } from "../process/memory.ts";
import { Server } from "../process/server.ts";
import { type Row, rowOf } from "../row.ts";
import { type Effort, loadProcess, probeProcess, type Scenario } from "./scenario.ts";

type Transport = "websocket" | "tcp" | "poll";

/**
 * V8 gives memory back late and in large pieces: pages of collected garbage stay pooled for many seconds. All
 * processes of the scenario wait for that together.
 */
export const quietMs = { before: 10_000, after: 22_500 };
const collectEveryMs = 2_500;
/** Connections of each process before its memory is first read. */
export const first = 50;

const gcOnSignal = new URL("../process/gc-on-signal.ts", import.meta.url).href;

export const idleSettings = {
  heartbeatMs: 600_000,
  connectsPerSecond: 1_000_000,
  poll: { holdMsMin: 600_000, holdMsMax: 600_000 },
};

/** A process that holds connections, and the process at their other end. */
interface Subject {
  readonly name: string;
  readonly transport: Transport;
  readonly count: number;
  readonly pid: number;
  readonly dial: Omit<IdleInput, "prefix" | "count">;
  readonly load: Child;
  end(): Promise<void>;
}

interface Measured {
  readonly subject: Subject;
  /** Growth for each connection, garbage collected before and after. */
  readonly pss: number;
  readonly rss: number;
  /** The same before the garbage was collected. */
  readonly uncollected: number;
  /** The process with its first few connections. */
  readonly pssBefore: number;
  readonly dialMs: number;
}

export const idle: Scenario = {
  name: "idle",
  meaning: "signed-in connections that do nothing: memory of the server for each",

  async run(effort, say) {
    const count = effort.isQuick ? 3000 : 15_000;
    const subjects: Subject[] = [];
    try {
      subjects.push(await bare(count));
      subjects.push(await server("websocket", count, effort));
      subjects.push(await server("tcp", count, effort));
      subjects.push(await server("poll", Math.min(count, 2000), effort));
      const [raw, ...ours] = await measure(subjects, effort, say);
      return ours.map((measured) => row(measured, raw as Measured));
    } finally {
      await Promise.all(subjects.map((subject) => subject.end()));
    }
  },
};

async function server(transport: Transport, count: number, { profileFolder }: Effort): Promise<Subject> {
  const process = new Server({ settings: idleSettings, collectable: true, profileFolder });
  const load = loadProcess();
  const end = async () => {
    await load.end();
    await process.stop();
    await process.remove();
  };
  try {
    await process.start();
  } catch (error) {
    await end();
    throw error;
  }
  const port = transport === "tcp" ? process.tcpPort : process.port;
  const dial = { port, transport, trust: process.signer };
  return { name: `${count} × ${transport}`, transport, count, pid: process.pid, dial, load, end };
}

async function bare(count: number): Promise<Subject> {
  const probe = probeProcess("raw-connections", { execArgv: ["--expose-gc", "--import", gcOnSignal] });
  const load = loadProcess();
  const { result } = await probe.call<{ port: number }>("listen");
  const dial = { port: result.port, transport: "tcp" as const, trust: "anybody" as const };
  const end = async () => {
    await load.end();
    await probe.end();
  };
  return { name: `${count} × bare net`, transport: "tcp", count, pid: probe.pid, dial, load, end };
}

/**
 * The difference to the process with its first few connections: what these make ready, loaded and compiled code above
 * all, is there once and not for each.
 */
async function measure(
  subjects: readonly Subject[],
  { isQuick }: Effort,
  say: (line: string) => void,
): Promise<Measured[]> {
  for (const { dial, load } of subjects) await load.call("dial", { ...dial, prefix: "i", count: first });
  const before = await settled(subjects, isQuick ? 3000 : quietMs.before);
  const dialed: { ms: number; uncollected: Memory }[] = [];
  for (const { name, dial, count, load, pid } of subjects) {
    say(`idle: ${name}`);
    const { result } = await load.call<{ ms: number }>("dial", { ...dial, prefix: "i", count });
    dialed.push({ ms: result.ms, uncollected: memoryOf(pid) });
  }
  say("idle: waiting until all of them are quiet");
  const after = await settled(subjects, isQuick ? 5000 : quietMs.after);
  await Promise.all(subjects.map(({ load }) => load.call("hangUp")));
  return subjects.map((subject, at) => {
    const [start, end] = [before[at] as Memory, after[at] as Memory];
    const count = subject.count - first;
    const { ms, uncollected } = dialed[at] as { ms: number; uncollected: Memory };
    return {
      subject,
      pss: (end.pss - start.pss) / count,
      rss: (end.rss - start.rss) / count,
      uncollected: (uncollected.pss - start.pss) / count,
      pssBefore: start.pss,
      dialMs: ms,
    };
  });
}

/** What processes use once their garbage has been collected for so long. */
export async function settled(subjects: readonly { readonly pid: number }[], ms: number): Promise<Memory[]> {
  for (let waitedMs = 0; waitedMs < ms; waitedMs += collectEveryMs) {
    for (const { pid } of subjects) process.kill(pid, "SIGUSR2");
    await sleep(collectEveryMs);
  }
  return subjects.map(({ pid }) => memoryOf(pid));
}

function row({ subject, ...measured }: Measured, raw: Measured): Row {
  const { transport, count } = subject;
  return rowOf({
    scenario: "idle",
    variant: `${count} × ${transport === "poll" ? "parked long poll" : transport}`,
    unit: "bytes/connection",
    better: "less",
    values: [measured.pss],
    probes: [raw.pss],
    transport,
    connections: count,
    bytesPerConnection: Math.round(measured.pss),
    rssPerConnection: Math.round(measured.rss),
    uncollectedPerConnection: Math.round(measured.uncollected),
    pssBefore: measured.pssBefore,
    note: `growth of the server's PSS, garbage collected before and after (${Math.round(measured.uncollected).toLocaleString("en")} at once, before it was collected); ${Math.round(measured.pssBefore / 1e6)} MB with the first ${first}; signed in at ${Math.round((count / measured.dialMs) * 1000).toLocaleString("en")}/s; probe: a bare net server with as many raw connections${count < 10_000 && transport !== "poll" ? "; too few connections and too short a wait for more than an impression" : ""}`,
  });
}
