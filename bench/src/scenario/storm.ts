import type { StormInput, StormResult } from "../load/storm.ts";
import { median } from "../measure/statistics.ts";
import { type Row, rowOf } from "../row.ts";
import { type Effort, loadProcess, probeProcess, type Scenario, withChild, withServer } from "./scenario.ts";
import { stay } from "./storm-stay.ts";

type Transport = "tcp" | "websocket";

export const storm: Scenario = {
  name: "storm",
  meaning: "everybody comes back after a SIGKILL: from the server listening to the last one signed in",

  async run(effort, say) {
    const count = effort.isQuick ? 1000 : 5000;
    const rounds = Math.min(effort.rounds, 2);
    const rows: Row[] = [];
    const probes: StormResult[] = [];
    for (let round = 0; round < rounds && !effort.skipsProbes; round++) {
      say(`storm ${round + 1}/${rounds}: bare net server`);
      probes.push(await bare(count));
    }
    for (const transport of ["websocket", "tcp"] as const) {
      const ours: StormResult[] = [];
      for (let round = 0; round < rounds; round++) {
        say(`storm ${round + 1}/${rounds}: ${count} × ${transport}`);
        ours.push(await measure(transport, count, effort));
      }
      rows.push(row(transport, count, ours, probes));
    }
    rows.push(...(await stay(effort, say)));
    return rows;
  },
};

function measure(transport: Transport, count: number, effort: Effort): Promise<StormResult> {
  return withServer({ profileFolder: effort.profileFolder }, (server) =>
    withChild(loadProcess(), async (load) => {
      const port = transport === "tcp" ? server.tcpPort : server.port;
      const input: StormInput = { port, transport, trust: server.signer, prefix: "s", count };
      await load.call("returnAll", input);
      await server.kill();
      await server.start();
      return (await load.call<StormResult>("returnAll", input)).result;
    }),
  );
}

function bare(count: number): Promise<StormResult> {
  return withChild(probeProcess("raw-connections"), async (probe) => {
    const { result } = await probe.call<{ port: number }>("listen");
    const input: StormInput = { port: result.port, transport: "tcp", trust: "anybody", prefix: "s", count };
    return withChild(
      loadProcess(),
      async (load) => (await load.call<StormResult>("returnAll", input)).result,
    );
  });
}

function row(
  transport: Transport,
  count: number,
  ours: readonly StormResult[],
  probes: readonly StormResult[],
): Row {
  const syncedMs = median(ours.map((one) => one.syncedMs));
  const refused = median(ours.map((one) => one.refused));
  return rowOf({
    scenario: "storm",
    variant: `${count} × ${transport}`,
    unit: "s",
    better: "less",
    values: ours.map(({ connectedMs }) => connectedMs / 1000),
    probes: probes.map(({ connectedMs }) => connectedMs / 1000),
    transport,
    connections: count,
    p50: median(ours.map(({ connected }) => connected.p50)),
    p99: median(ours.map(({ connected }) => connected.p99)),
    p999: median(ours.map(({ connected }) => connected.p999)),
    syncedSeconds: syncedMs / 1000,
    note: `all at the same moment, default admission; ${(syncedMs / 1000).toFixed(2)} s until all had read their backlog too; ${refused} attempts sent away or broken; probe: a bare net server that takes raw connections`,
  });
}
