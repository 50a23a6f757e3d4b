import { setTimeout as sleep } from "node:timers/promises";
import type { CrashInput, CrashResult } from "../load/crash.ts";
import { median } from "../measure/statistics.ts";
import { type Row, rowOf } from "../row.ts";
import { bodyBytes, type Effort, loadProcess, type Scenario, withChild, withServer } from "./scenario.ts";

const users = 200;
const inFlight = 32;
const bucketMs = 100;

interface Measured extends CrashResult {
  /** In the series: when the process was killed, and when the new one listened. */
  readonly killedMs: number;
  readonly listeningMs: number;
}

export const crash: Scenario = {
  name: "crash",
  meaning: `throughput and latency of ${users} users with ${inFlight} messages in flight while the server is killed and started again`,
  onRequest: true,

  async run(effort, say) {
    const runs: Measured[] = [];
    for (let round = 0; round < effort.rounds; round++) {
      say(`crash ${round + 1}/${effort.rounds}`);
      runs.push(await measure(effort));
    }
    return [row(runs)];
  },
};

function timesOf({ isQuick }: Effort): { warmMs: number; killMs: number; ms: number } {
  return isQuick ? { warmMs: 500, killMs: 1500, ms: 6000 } : { warmMs: 2000, killMs: 5000, ms: 15_000 };
}

function measure(effort: Effort): Promise<Measured> {
  const { warmMs, killMs, ms } = timesOf(effort);
  return withServer({ profileFolder: effort.profileFolder }, (server) =>
    withChild(loadProcess(), async (load) => {
      const { tcpPort: port, signer: trust } = server;
      const input: CrashInput = { port, transport: "tcp", trust, users, inFlight, bodyBytes };
      await load.call("beginCrash", input);
      await sleep(warmMs);
      const recording = load.call<CrashResult>("recordCrash", { ms, bucketMs });
      const killing = sleep(killMs).then(async () => {
        const killedAtMs = Date.now();
        await server.kill();
        await server.start();
        return { killedAtMs, listeningAtMs: Date.now() };
      });
      const [{ result }, { killedAtMs, listeningAtMs }] = await Promise.all([recording, killing]);
      return {
        ...result,
        killedMs: Math.round(killedAtMs - result.startedAtMs),
        listeningMs: Math.round(listeningAtMs - result.startedAtMs),
      };
    }),
  );
}

/** The series is that of the run whose gap is the median, or the shorter one of the two in the middle. */
function row(runs: readonly Measured[]): Row {
  const byGap = [...runs].sort((one, other) => one.gapMs - other.gapMs);
  const shown = byGap[(byGap.length - 1) >> 1] as Measured;
  const { series, killedMs, listeningMs, messages, sentAgain } = shown;
  const recoveredMs = recovered(shown);
  const startMs = median(runs.map((one) => one.listeningMs - one.killedMs));
  return rowOf({
    scenario: "crash",
    variant: `tcp, ${inFlight} in flight, killed with SIGKILL and started at once`,
    unit: "s",
    better: "less",
    values: runs.map(({ gapMs }) => gapMs / 1000),
    transport: "tcp",
    inFlight,
    series,
    killedMs,
    listeningMs,
    recoveredMs,
    messages,
    sentAgain,
    note: `the longest time without any message stored; the new process listened ${(startMs / 1000).toFixed(2)} s after the kill; half of the throughput before it was reached again ${recoveredMs === null ? "not within the run" : `${((recoveredMs - killedMs) / 1000).toFixed(1)} s after it`}; all ${messages.toLocaleString("en")} messages of the run were stored, and received once and in order; ${sentAgain.toLocaleString("en")} had to be sent again`,
  });
}

/** When, after the new process listened, a slice first had half of the throughput before the kill; null: never. */
export function recovered({
  series,
  killedMs,
  listeningMs,
}: Pick<Measured, "series" | "killedMs" | "listeningMs">): number | null {
  const { bucketMs, stored } = series;
  const before = median(stored.slice(0, Math.floor(killedMs / bucketMs)));
  const from = Math.floor(listeningMs / bucketMs);
  const at = stored.findIndex((count, index) => index >= from && count >= before / 2);
  return at < 0 ? null : at * bucketMs;
}
