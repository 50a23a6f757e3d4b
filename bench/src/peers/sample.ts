/** One measurement of one system; the samples of all rounds become one row. */
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
    ...(cpus.length === 0 ? {} : { generatorCpu, serverCpu, isGeneratorLimit: generatorCpu > 0.9 }),
    note: notes.filter((part) => part !== "").join("; "),
  });
}
