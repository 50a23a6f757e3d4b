/** What a scenario says: one figure, beside what the bare machine gave for it in the same run. */
import { commandLine } from "./command-line.ts";
import { loadAverage, machine } from "./machine.ts";
import { median, spread } from "./measure/statistics.ts";

export interface Row {
  readonly scenario: string;
  /** What was measured, for people: `tcp, 32 in flight`. */
  readonly variant: string;
  readonly value: number;
  readonly unit: string;
  /** The bare probe in the same run and unit; null where there is none. */
  readonly probe: number | null;
  /** value / probe. */
  readonly ratio: number | null;
  /** Whether more or less is better. */
  readonly better: "more" | "less";
  readonly transport?: string;
  readonly inFlight?: number;
  readonly bytesPerConnection?: number;
  /** Latencies in ms: median over the runs. */
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
  readonly [figure: string]: unknown;
  readonly runs: number;
  /** The smallest and the largest of the runs. */
  readonly low: number;
  readonly high: number;
  /** (largest − smallest) / median of the runs. */
  readonly spread: number;
  readonly machine: string;
  /** When it was measured, ISO 8601. */
  readonly date: string;
  /** What to type to measure it again. */
  readonly command: string;
  /** What else ran: the load average of the last minute. The bench itself makes about 2. */
  readonly loadAverage: number;
  readonly note: string;
}

export interface RowInput {
  readonly scenario: string;
  readonly variant: string;
  readonly unit: string;
  readonly better: "more" | "less";
  /** The figure of each run. */
  readonly values: readonly number[];
  readonly probes?: readonly number[];
  readonly note: string;
  readonly [figure: string]: unknown;
}

export function rowOf({ values, probes, ...rest }: RowInput): Row {
  const value = median(values);
  const probe = probes === undefined || probes.length === 0 ? null : median(probes);
  return {
    ...rest,
    value: rounded(value),
    probe: probe === null ? null : rounded(probe),
    ratio: probe === null ? null : Math.round((value / probe) * 1000) / 1000,
    runs: values.length,
    low: rounded(Math.min(...values)),
    high: rounded(Math.max(...values)),
    spread: Math.round(spread(values) * 1000) / 1000,
    machine: machine(),
    date: new Date().toISOString(),
    command: commandLine(),
    loadAverage: loadAverage(),
    ...roundedLatencies(rest),
  };
}

function roundedLatencies(row: Readonly<Record<string, unknown>>): Partial<Row> {
  const names = ["p50", "p99", "p999"].filter((name) => typeof row[name] === "number");
  return Object.fromEntries(names.map((name) => [name, rounded(row[name] as number)]));
}

/** Four digits are more than the spread of any figure justifies. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
