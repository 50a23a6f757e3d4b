/** The part of `storm` that looks at those who never left. */
import { setTimeout as sleep } from "node:timers/promises";
import type { DirectInput } from "../load/direct.ts";
import type { StayResult } from "../load/stay.ts";
import type { StormInput, StormResult } from "../load/storm.ts";
import { median } from "../measure/statistics.ts";
import { type Row, rowOf } from "../row.ts";
import { bodyBytes, type Effort, loadProcess, withChild, withServer } from "./scenario.ts";

const users = 100;
const rate = 2000;
/** Processes that the storm comes from: each may have 20,000 open files. */
const fronts = 2;

interface Measured {
  readonly calm: StayResult;
  readonly storm: StayResult;
  /** Until the last one was signed in. */
  readonly connectedMs: number;
  readonly refused: number;
}

export async function stay(effort: Effort, say: (line: string) => void): Promise<Row[]> {
  const count = effort.isQuick ? 1000 : 15_000;
  const runs: Measured[] = [];
  for (let round = 0; round < Math.min(effort.rounds, 3); round++) {
    say(`storm ${round + 1}/${Math.min(effort.rounds, 3)}: ${count} come while ${users} chat`);
    runs.push(await measure(count, effort));
  }
  return [stayRow(count, runs), connectedRow(count, runs)];
}

function measure(count: number, effort: Effort): Promise<Measured> {
  return withServer({ profileFolder: effort.profileFolder }, (server) =>
    withChild(loadProcess(), (chat) =>
      withChild(loadProcess(), (one) =>
        withChild(loadProcess(), async (other) => {
          const { port, signer: trust } = server;
          const common = { port, transport: "websocket", trust } as const;
          const chatting: DirectInput & { rate: number } = {
            ...common,
            users,
            prefix: "u",
            inFlight: 1,
            rate,
            bodyBytes,
            warmMs: effort.isQuick ? 1000 : 3000,
            measureMs: 0,
          };
          await chat.call("beginStay", chatting);
          await chat.call("recordStay");
          await sleep(effort.isQuick ? 1000 : 5000);
          const { result: calm } = await chat.call<StayResult>("recordedStay");
          await chat.call("recordStay");
          const storms = await Promise.all(
            [one, other].map((load, at) => {
              const input: StormInput = { ...common, prefix: `s${at}x`, count: count / fronts };
              return load.call<StormResult>("returnAll", input);
            }),
          );
          const { result: storm } = await chat.call<StayResult>("recordedStay");
          await chat.call("endStay");
          return {
            calm,
            storm,
            connectedMs: Math.max(...storms.map(({ result }) => result.connectedMs)),
            refused: storms.reduce((sum, { result }) => sum + result.refused, 0),
          };
        }),
      ),
    ),
  );
}

function stayRow(count: number, runs: readonly Measured[]): Row {
  const of = (name: "p50" | "p99" | "p999") => median(runs.map(({ storm }) => storm.received[name]));
  const calm = median(runs.map((one) => one.calm.received.p99));
  return rowOf({
    scenario: "storm",
    variant: `p99 of ${users} who stayed while ${count.toLocaleString("en")} came`,
    unit: "ms",
    better: "less",
    values: runs.map(({ storm }) => storm.received.p99),
    transport: "websocket",
    connections: count,
    p50: of("p50"),
    p99: of("p99"),
    p999: of("p999"),
    calmP99: calm,
    note: `send→received at a fixed ${rate.toLocaleString("en")} messages/s in pairs, from the first of those who came to the last one's sync; p99 ${calm.toFixed(1)} ms just before; the generator was ${median(runs.map(({ storm }) => storm.lateMs)).toFixed(1)} ms late at worst; nobody of those who stayed was lost, everything arrived once`,
  });
}

function connectedRow(count: number, runs: readonly Measured[]): Row {
  return rowOf({
    scenario: "storm",
    variant: `${count.toLocaleString("en")} come while ${users} chat`,
    unit: "s",
    better: "less",
    values: runs.map(({ connectedMs }) => connectedMs / 1000),
    transport: "websocket",
    connections: count,
    note: `until the last one was signed in, from ${fronts} processes at the same moment, default admission; ${median(runs.map(({ refused }) => refused))} attempts sent away or broken`,
  });
}
