import type { Histogram } from "../measure/histogram.ts";
import type { Community } from "./community.ts";

export interface Ending {
  /** How long it took. */
  readonly seconds: number;
  /** Entries that the log holds. */
  readonly entries: number;
  /** Share of one core that the devices used. */
  readonly cpuShare: number;
  /** Undefined where a server was killed on the way. */
  readonly serverCpuShare: number | undefined;
  /** What went wrong, and what it cost. */
  readonly trouble: readonly (readonly [string, string])[];
}

/** Below this, what is divided by the time says nothing: CPU is counted in hundredths of a second. */
const secondsMin = 1;

/** The result, one figure a line, and what differed. */
export function figures(
  { tally, ledger, devices }: Community,
  { seconds, trouble, ...ending }: Ending,
): string {
  const isLong = seconds >= secondsMin;
  const perSecond = (count: number) =>
    isLong ? `, ${Math.round(count / seconds).toLocaleString("en")}/s` : "";
  const server =
    ending.serverCpuShare === undefined
      ? "server unknown, because it was killed"
      : `server ${Math.round(ending.serverCpuShare * 100)} %`;
  const lines: (readonly [string, string])[] = [
    ["messages", `${tally.stored.toLocaleString("en")} in ${seconds.toFixed(1)} s${perSecond(tally.stored)}`],
    [
      "deliveries",
      `${tally.shown.toLocaleString("en")} to ${devices.length.toLocaleString("en")} devices${perSecond(tally.shown)}`,
    ],
    ["send→stored", percentiles(tally.toStored)],
    ["send→shown", percentiles(tally.toShown)],
    ...(trouble.length === 0
      ? []
      : ([
          ["send→stored undisturbed", percentiles(tally.toStoredUndisturbed)],
          ["send→shown undisturbed", percentiles(tally.toShownUndisturbed)],
        ] as const)),
    ...trouble,
    ["sent again", `${tally.resent.toLocaleString("en")} messages`],
    ["came again", `${tally.repeated.toLocaleString("en")} deliveries, shown once`],
    [
      "holes filled",
      `${tally.holes.toLocaleString("en")}, ${tally.syncPages.toLocaleString("en")} pages of sync, ${tally.syncMismatches} asked again`,
    ],
    ["receipts", `${tally.receipts.toLocaleString("en")} pushed, each checked`],
    ...(isLong
      ? ([["CPU", `devices ${Math.round(ending.cpuShare * 100)} % of a core, ${server}`]] as const)
      : []),
    ["log", `${ending.entries.toLocaleString("en")} entries compared with every device of every member`],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (ledger.violationCount === 0) {
    text.push(`${"verdict".padEnd(width)}  nothing lost, nothing twice, one order`);
  } else {
    text.push(
      `${"verdict".padEnd(width)}  ${ledger.violationCount} DIFFERENCES`,
      ...ledger.violations.map((violation) => `  ${violation}`),
    );
    if (ledger.violationCount > ledger.violations.length) text.push("  …");
  }
  return text.join("\n");
}

function percentiles(histogram: Histogram): string {
  const { p50, p99, p999 } = histogram.percentiles();
  return `p50 ${format(p50)}  p99 ${format(p99)}  p99.9 ${format(p999)}`;
}

function format(ms: number): string {
  return ms >= 10_000
    ? `${(ms / 1000).toFixed(1)} s`
    : ms >= 100
      ? `${ms.toFixed(0)} ms`
      : `${ms.toFixed(1)} ms`;
}
