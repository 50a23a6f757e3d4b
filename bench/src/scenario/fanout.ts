import type { FanoutInput, FanoutResult } from "../load/fanout.ts";
import { median } from "../measure/statistics.ts";
import { createGroup } from "../process/api.ts";
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

const members = 1000;

interface Measured extends FanoutResult {
  readonly serverCpuShare: number;
}

interface Cell {
  readonly transport: "tcp" | "websocket";
  readonly inFlight: number;
}

/** With twice as many messages in flight each takes twice as long: 8 shows the throughput, 4 both at once. */
const cells: readonly Cell[] = [
  { transport: "tcp", inFlight: 4 },
  { transport: "websocket", inFlight: 4 },
  { transport: "tcp", inFlight: 8 },
  { transport: "websocket", inFlight: 8 },
];

export const fanout: Scenario = {
  name: "fanout",
  meaning: `a group of ${members} members, all online, one sender`,

  async run(effort, say) {
    const ours = cells.map((): Measured[] => []);
    const loops: Measured[] = [];
    for (let round = 0; round < effort.rounds; round++) {
      if (!effort.skipsProbes) {
        say(`fanout ${round + 1}/${effort.rounds}: bare write loop`);
        loops.push(await writeLoop(effort));
      }
      for (const [at, cell] of cells.entries()) {
        say(`fanout ${round + 1}/${effort.rounds}: ${cell.transport}, ${cell.inFlight} in flight`);
        ours[at]?.push(await measure(cell, effort));
      }
    }
    return cells.map((cell, at) => row(cell, ours[at] ?? [], loops));
  },
};

function timesOf({ isQuick }: Effort): { warmMs: number; measureMs: number } {
  return isQuick ? { warmMs: 500, measureMs: 1000 } : { warmMs: 700, measureMs: 2000 };
}

function measure(cell: Cell, effort: Effort): Promise<Measured> {
  return withServer({ profileFolder: effort.profileFolder }, async (server) => {
    const conversation = "everybody";
    const names = Array.from({ length: members }, (_, index) => `m${index}`);
    await createGroup(server, conversation, ["sender", ...names]);
    return run(server.pid, {
      ...timesOf(effort),
      ...cell,
      port: cell.transport === "tcp" ? server.tcpPort : server.port,
      trust: server.signer,
      conversation,
      members,
      prefix: "m",
      sender: "sender",
      bodyBytes,
    });
  });
}

function writeLoop(effort: Effort): Promise<Measured> {
  return withChild(probeProcess("write-loop"), async (probe) => {
    const { result } = await probe.call<{ port: number }>("listen", { sockets: members, bodyBytes });
    return run(probe.pid, {
      ...timesOf(effort),
      transport: "tcp",
      inFlight: 0,
      port: result.port,
      trust: "anybody",
      conversation: "g",
      members,
      prefix: "m",
      bodyBytes,
    });
  });
}

async function run(pid: number, input: FanoutInput): Promise<Measured> {
  return withChild(loadProcess(), async (load) => {
    const { result, cpuShare } = await cpuShareOf(pid, () => load.call<FanoutResult>("fanout", input));
    return { ...result.result, serverCpuShare: cpuShare };
  });
}

function row(cell: Cell, ours: readonly Measured[], loops: readonly Measured[]): Row {
  const of = (name: "p50" | "p99" | "p999") => median(ours.map(({ received }) => received[name]));
  const generatorCpu = median(ours.map(({ cpuShare }) => cpuShare));
  return rowOf({
    scenario: "fanout",
    variant: `${cell.transport}, ${cell.inFlight} in flight`,
    unit: "deliveries/s",
    better: "more",
    values: ours.map(({ deliveriesPerSecond }) => deliveriesPerSecond),
    probes: loops.map(({ deliveriesPerSecond }) => deliveriesPerSecond),
    transport: cell.transport,
    inFlight: cell.inFlight,
    p50: of("p50"),
    p99: of("p99"),
    p999: of("p999"),
    generatorCpu,
    note: `latency is send→received; a message is in flight until all ${members} have it, all acknowledge; probe: one write per frame and socket; ${busy(generatorCpu, median(ours.map(({ serverCpuShare }) => serverCpuShare)))}`,
  });
}
