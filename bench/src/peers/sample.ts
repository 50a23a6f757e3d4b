/** One measurement of one system; the samples of all rounds become one row. */
import type { Percentiles } from "../measure/histogram.ts";
import { median } from "../measure/statistics.ts";
import { type Row, rowOf } from "../row.ts";
import { busy } from "../scenario/scenario.ts";
import type { ScenarioName, System } from "./system/system.ts";

export interface Sample {
  /** `32 in flight` */
  readonly variant: string;
  readonly value: number;
  readonly unit: string;
  readonly better: "more" | "less";
  /** Beside the value, as fields of the row: the median of each. */
  readonly figures: Readonly<Record<string, number>>;
  /** How long each took of what was begun, and done, while it was measured. */
  readonly latencies?: Percentiles;
  /** Shares of a core, where the figure depends on them. */
  readonly cpu?: { readonly generator: number; readonly server: number };
  readonly note: string;
}

/** A system, or one of its scenarios, that gave no figure, and why. */
export interface Absence {
  readonly scenario: string;
  readonly variant: string;
  readonly system: string;
  readonly version: string | null;
  readonly value: null;
  readonly missing: string;
}

export function absence(scenario: string, system: string, version: string | null, missing: string): Absence {
  return { scenario, variant: system, system, version, value: null, missing };
}

/** Rows of one system, one for each variant, in the order in which the variants were first measured. */
export function rowsOf(
  scenario: ScenarioName,
  system: System,
  version: string,
  samples: readonly Sample[],
): Row[] {
  return [...Map.groupBy(samples, ({ variant }) => variant).values()].map((runs) =>
    oneRow(scenario, system, version, runs),
  );
}

function oneRow(scenario: ScenarioName, system: System, version: string, runs: readonly Sample[]): Row {
  const [first] = runs as [Sample];
  const { variant, unit, better, note } = first;
  const { durable, acknowledgement } = system;
  const figures = Object.fromEntries(
    Object.keys(first.figures).map((name) => [name, median(runs.map((run) => run.figures[name] ?? 0))]),
  );
  const cpus = runs.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu]));
  const generatorCpu = median(cpus.map(({ generator }) => generator));
  const serverCpu = median(cpus.map(({ server }) => server));
  const notes = [
    durable ? "on disk when acknowledged" : "NOT on disk when acknowledged",
    note,
    runs.some(({ value }) => value === 0) ? "nothing at all came while it was measured" : "",
    runs.some(({ latencies }) => latencies?.count === 0)
      ? "latencies are longer than the time of measuring in some runs"
      : "",
    ...(cpus.length === 0 ? [] : [busy(generatorCpu, serverCpu)]),
  ];
  return rowOf({
    scenario,
    variant: variant === "" ? system.name : `${system.name}, ${variant}`,
    unit,
    better,
    values: runs.map(({ value }) => value),
    system: system.name,
    version,
    durable,
    acknowledgement,
    ...figures,
    ...latenciesOf(runs),
    ...(cpus.length === 0 ? {} : { generatorCpu, serverCpu, isGeneratorLimit: generatorCpu > 0.9 }),
    note: notes.filter((part) => part !== "").join("; "),
  });
}

/** None where it took longer than the measuring in half of the runs. */
function latenciesOf(runs: readonly Sample[]): Pick<Row, "p50" | "p99" | "p999"> {
  const all = runs.flatMap(({ latencies }) =>
    latencies === undefined || latencies.count === 0 ? [] : [latencies],
  );
  if (2 * all.length <= runs.length) return {};
  const of = (name: "p50" | "p99" | "p999") => median(all.map((one) => one[name]));
  return { p50: of("p50"), p99: of("p99"), p999: of("p999") };
}
