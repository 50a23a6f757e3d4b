/** The scenarios that are compared with other servers: how many, how fast, and how much memory. */
import { type BarGroup, type BarRow, barChart } from "./chart/bars.ts";
import { latencyChart } from "./chart/latency.ts";
import { type Figure, isDurable, isOurs, systemOf } from "./figure.ts";
import { milliseconds, number, percent, table } from "./markdown.ts";
import type { Plot, Section } from "./section.ts";

interface About {
  readonly scenario: string;
  readonly title: string;
  readonly what: string;
  readonly unit: string;
  /** Grouped by what an acknowledgement means; memory has no acknowledgement. */
  readonly byDurability: boolean;
  /** Without the rows that only ours has: their probes and notes are among the other figures. */
  readonly onlyPeers?: true;
}

const scenarios: readonly About[] = [
  {
    scenario: "direct",
    title: "One to one",
    what: "200 users in pairs, everyone writes to the partner, the receiver acknowledges; 200 bytes",
    unit: "messages/s",
    byDurability: true,
  },
  {
    scenario: "fanout",
    title: "One to a thousand",
    what: "one sender, 1,000 members online, everybody acknowledges; 200 bytes",
    unit: "deliveries/s",
    byDurability: true,
  },
  {
    scenario: "idle",
    title: "A connection that does nothing",
    what: "memory of the server for each signed-in connection; less is better",
    unit: "bytes/connection",
    byDurability: false,
  },
  {
    scenario: "backlog",
    title: "What came while one was away",
    what: "20,000 messages of 100 senders, from connecting to everything received and acknowledged; less is better",
    unit: "s",
    byDurability: true,
    onlyPeers: true,
  },
  {
    scenario: "storm",
    title: "Everybody comes back at once",
    what: "5,000 clients after a SIGKILL, from listening again to the last one able to receive; less is better",
    unit: "s",
    byDurability: true,
    onlyPeers: true,
  },
  {
    scenario: "trace",
    title: "A real community",
    what: "a recorded chat at full speed, each message to all other members of its group, who acknowledge",
    unit: "deliveries/s",
    byDurability: true,
    onlyPeers: true,
  },
];

/** Whether a row has its place in one of these sections. */
export function isCompared({ scenario, system }: Figure): boolean {
  const about = scenarios.find(({ scenario: name }) => name === scenario);
  return about !== undefined && (system !== undefined || about.onlyPeers === undefined);
}

export function comparisons(rows: readonly Figure[]): Section[] {
  return scenarios.flatMap((about) => {
    const all = rows.filter(
      (row) => isCompared(row) && row.scenario === about.scenario && row.unit === about.unit,
    );
    const peers = all.filter(({ system }) => system !== undefined);
    // Where there are peers, ours of the same run stands beside them, and not ours of another.
    const shown = peers.some((row) => !isOurs(row))
      ? peers
      : all.filter(({ system }) => system === undefined);
    return shown.length === 0 ? [] : [section(about, shown, all)];
  });
}

function section(about: About, shown: readonly Figure[], all: readonly Figure[]): Section {
  const latency = latencyPlot(about, shown);
  return {
    title: about.title,
    plots: [barPlot(about, shown), ...(latency === undefined ? [] : [latency])],
    text: [`${sentence(about.what)}.`, details(about, all)].join("\n\n"),
  };
}

function barPlot({ scenario, title, what, unit, byDurability }: About, rows: readonly Figure[]): Plot {
  const series = [...new Set(rows.map(seriesOf))].sort((one, other) => one - other);
  const group = (name: string, some: readonly Figure[]): BarGroup => ({
    title: name,
    rows: barRows(some, series),
  });
  const groups = byDurability
    ? [
        group("On disk when acknowledged", rows.filter(isDurable)),
        group(
          "NOT on disk when acknowledged",
          rows.filter((row) => !isDurable(row)),
        ),
      ]
    : [group(unit, rows)];
  return {
    file: `${scenario}.svg`,
    alt: `${title}: ${unit}`,
    svg: barChart({
      title: `${title}: ${unit}`,
      subtitle: `${what}. Median; the thin line spans the runs.`,
      legend: series.map((inFlight) => `${inFlight} in flight`),
      groups: groups.filter((one) => one.rows.length > 0),
    }),
  };
}

/** Messages in flight; 0 where that is no part of it. */
function seriesOf({ inFlight }: Figure): number {
  return inFlight ?? 0;
}

function barRows(rows: readonly Figure[], series: readonly number[]): BarRow[] {
  const systems = Map.groupBy(rows, systemOf);
  const isLessBetter = rows[0]?.better === "less";
  return [...systems]
    .map(([name, figures]) => ({
      name,
      isOurs: figures.some(isOurs),
      bars: figures.map((row) => ({
        value: row.value,
        low: row.low ?? row.value,
        high: row.high ?? row.value,
        series: series.indexOf(seriesOf(row)),
      })),
    }))
    .sort((one, other) => (isLessBetter ? -1 : 1) * (best(other) - best(one)));
}

function best({ bars }: BarRow): number {
  return Math.max(...bars.map(({ value }) => value));
}

function latencyPlot({ scenario, title }: About, rows: readonly Figure[]): Plot | undefined {
  const points = rows.flatMap((row) => {
    const { p50, p99, p999, inFlight } = row;
    if (p50 === undefined || p99 === undefined || p999 === undefined || p50 <= 0) return [];
    const name = inFlight === undefined ? systemOf(row) : `${systemOf(row)}, ${inFlight} in flight`;
    return [{ name: isDurable(row) ? name : `${name} (not durable)`, isOurs: isOurs(row), p50, p99, p999 }];
  });
  if (points.length === 0) return undefined;
  points.sort((one, other) => one.p99 - other.p99);
  return {
    file: `${scenario}-latency.svg`,
    alt: `${title}: latency`,
    svg: latencyChart(
      `${title}: from sending to receiving`,
      "Medians of the runs' percentiles, at full load: a server that takes in more has longer queues.",
      points,
    ),
  };
}

function details({ unit }: About, rows: readonly Figure[]): string {
  return table(
    ["", unit, "runs", "spread", "bare probe", "of the probe", "p50 ms", "p99 ms", "p99.9 ms"],
    rows.map((row) => [
      row.system === undefined ? `hongyan, ${row.variant}` : row.variant,
      number(row.value),
      `${row.runs}`,
      row.runs < 2 ? "one run" : percent(row.spread),
      row.probe === null ? "" : number(row.probe),
      row.ratio === null ? "" : row.ratio.toFixed(2),
      milliseconds(row.p50),
      milliseconds(row.p99),
      milliseconds(row.p999),
    ]),
  );
}

/** What the acknowledgements of all these systems mean. */
export function acknowledgements(rows: readonly Figure[]): string {
  const known = new Map<string, string>();
  for (const row of rows)
    if (row.acknowledgement !== undefined)
      known.set(`${systemOf(row)} ${row.version ?? ""}`.trim(), row.acknowledgement);
  if (known.size === 0) return "";
  return [
    "## What acknowledgements mean",
    "",
    ...[...known].map(([system, meaning]) => `- **${system}**: ${meaning}`),
  ].join("\n");
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
