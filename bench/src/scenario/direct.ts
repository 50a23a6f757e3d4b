import type { DirectInput, DirectResult } from "../load/direct.ts";
import { median } from "../measure/statistics.ts";
import { Folder } from "../process/folder.ts";
import type { Server } from "../process/server.ts";
import { type Row, rowOf } from "../row.ts";
import {
  bodyBytes,
  busy,
  cpuShareOf,
  type Effort,
  loadProcess,
  probeProcess,
  type Scenario,
  withChild,
  withServer,
} from "./scenario.ts";

const users = 200;

type Transport = "tcp" | "websocket";

interface Measured extends DirectResult {
  readonly serverCpuShare: number;
}

interface Cell {
  readonly transport: Transport;
  readonly inFlight: number;
}

const cells: readonly Cell[] = [
  { transport: "tcp", inFlight: 1 },
  { transport: "tcp", inFlight: 32 },
  { transport: "websocket", inFlight: 1 },
  { transport: "websocket", inFlight: 32 },
];

export const direct: Scenario = {
  name: "direct",
  meaning: `${users} users in pairs, everyone writes to the partner; stored on disk, acknowledged by the receiver's device`,

  async run(effort, say) {
    const ours = cells.map((): Measured[] => []);
    const relays = { durable: new Map<number, Measured[]>(), memory: new Map<number, Measured[]>() };
    for (let round = 0; round < effort.rounds; round++) {
      for (const inFlight of [1, 32]) {
        for (const kind of effort.skipsProbes ? [] : (["durable", "memory"] as const)) {
          say(`direct ${round + 1}/${effort.rounds}: bare relay, ${kind}, ${inFlight} in flight`);
          const list = relays[kind].get(inFlight) ?? [];
          relays[kind].set(inFlight, list);
          list.push(await relay(kind === "durable", inFlight, effort));
        }
      }
      await withServer({ profileFolder: effort.profileFolder }, async (server) => {
        for (const [at, cell] of cells.entries()) {
          say(`direct ${round + 1}/${effort.rounds}: ${cell.transport}, ${cell.inFlight} in flight`);
          ours[at]?.push(await measure(server, cell, effort, `r${round}c${at}-`));
        }
      });
    }
    const paced: Row[] = [];
    for (const [at, load] of pacedLoads.entries()) {
      say(`direct: ${load}`);
      const full = median((ours[at] ?? []).map(({ perSecond }) => perSecond));
      paced.push(pacedRow(load, await measurePaced(full / 2, effort)));
    }
    const rows = cells.map((cell, at) =>
      cellRow(
        cell,
        ours[at] ?? [],
        relays.durable.get(cell.inFlight) ?? [],
        relays.memory.get(cell.inFlight) ?? [],
      ),
    );
    return [...rows, ...paced];
  },
};

/**
 * Loads at a fixed rate, where every message comes alone: half of what the server does of such, with one in flight
 * each; and half of what it does where 32 of a sender come together, which costs it more when they come alone.
 */
const pacedLoads = ["half load", "half of 32 in flight, one by one"] as const;

function timesOf({ isQuick }: Effort): { warmMs: number; measureMs: number } {
  return isQuick ? { warmMs: 500, measureMs: 1000 } : { warmMs: 800, measureMs: 1700 };
}

async function measure(
  server: Server,
  cell: Cell,
  effort: Effort,
  prefix: string,
  rate?: number,
): Promise<Measured> {
  const { transport, inFlight } = cell;
  const input: DirectInput = {
    ...timesOf(effort),
    port: transport === "tcp" ? server.tcpPort : server.port,
    transport,
    trust: server.signer,
    users,
    prefix,
    inFlight,
    bodyBytes,
    rate,
  };
  return run(server.pid, input);
}

function measurePaced(rate: number, effort: Effort): Promise<Measured[]> {
  return withServer({ profileFolder: effort.profileFolder }, async (server) => {
    // A server that has just started runs code that is not compiled yet: that is not its load.
    await measure(server, { transport: "tcp", inFlight: 32 }, effort, "w-");
    const results: Measured[] = [];
    for (let round = 0; round < effort.rounds; round++)
      results.push(await measure(server, { transport: "tcp", inFlight: 1 }, effort, `h${round}-`, rate));
    return results;
  });
}

async function relay(isDurable: boolean, inFlight: number, effort: Effort): Promise<Measured> {
  const folder = new Folder("relay");
  try {
    return await withChild(probeProcess("relay"), async (probe) => {
      const { result } = await probe.call<{ port: number }>(
        "listen",
        isDurable ? { directory: folder.path } : {},
      );
      return run(probe.pid, {
        ...timesOf(effort),
        port: result.port,
        transport: "tcp",
        trust: "anybody",
        users,
        prefix: "u",
        inFlight,
        bodyBytes,
      });
    });
  } finally {
    folder.remove();
  }
}

async function run(pid: number, input: DirectInput): Promise<Measured> {
  return withChild(loadProcess(), async (load) => {
    const { result, cpuShare } = await cpuShareOf(pid, () => load.call<DirectResult>("direct", input));
    return { ...result.result, serverCpuShare: cpuShare };
  });
}

function cellRow(
  cell: Cell,
  ours: readonly Measured[],
  durable: readonly Measured[],
  memory: readonly Measured[],
): Row {
  const notDurable = median(memory.map(({ perSecond }) => perSecond));
  return rowOf({
    scenario: "direct",
    variant: `${cell.transport}, ${cell.inFlight} in flight`,
    unit: "messages/s",
    better: "more",
    values: ours.map(({ perSecond }) => perSecond),
    probes: durable.map(({ perSecond }) => perSecond),
    transport: cell.transport,
    inFlight: cell.inFlight,
    ...latencies(ours, "received"),
    stored: latencies(ours, "stored"),
    probeNotDurable: Math.round(notDurable),
    generatorCpu: median(ours.map(({ cpuShare }) => cpuShare)),
    note: `latency is send→received; send→stored p99 ${latencies(ours, "stored").p99.toFixed(1)} ms; probe: relay with group commit and fdatasync, p99 ${latencies(durable, "received").p99.toFixed(1)} ms (${Math.round(notDurable).toLocaleString("en")}/s without durability); ${busyOf(ours)}`,
  });
}

function pacedRow(load: (typeof pacedLoads)[number], half: readonly Measured[]): Row {
  return rowOf({
    scenario: "direct",
    variant: `tcp, ${load}, p99 send→stored`,
    unit: "ms",
    better: "less",
    values: half.map(({ stored }) => stored.p99),
    transport: "tcp",
    perSecond: Math.round(median(half.map(({ perSecond }) => perSecond))),
    ...latencies(half, "received"),
    stored: latencies(half, "stored"),
    note: `at a fixed ${Math.round(median(half.map(({ perSecond }) => perSecond))).toLocaleString("en")} messages/s; the percentiles are send→received; the generator was ${Math.max(...half.map(({ lateMs }) => lateMs)).toFixed(1)} ms late at worst; ${busyOf(half)}`,
  });
}

function latencies(
  runs: readonly Measured[],
  which: "stored" | "received",
): { p50: number; p99: number; p999: number } {
  const of = (name: "p50" | "p99" | "p999") => median(runs.map((one) => one[which][name]));
  return { p50: of("p50"), p99: of("p99"), p999: of("p999") };
}

function busyOf(runs: readonly Measured[]): string {
  return busy(
    median(runs.map(({ cpuShare }) => cpuShare)),
    median(runs.map(({ serverCpuShare }) => serverCpuShare)),
  );
}
