/**
 * What it costs to keep everything in PostgreSQL, and to have several nodes: the same work by one node on its embedded
 * store and by the others, in turns, so that what else happens on the machine does not fall on one of them.
 */
import { median } from "../measure/statistics.ts";
import { type Row, rowOf } from "../row.ts";
import { bareInserts } from "./bare-inserts.ts";
import type { Cell, Sample } from "./cells.ts";
import { Engines, embedded } from "./system.ts";

export interface DistributionEffort {
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly nodes: number;
  readonly profileFolder: string | undefined;
}

/** `onRows` gets everything so far after each cell. */
export async function distribution(
  cells: readonly Cell[],
  effort: DistributionEffort,
  say: (line: string) => void,
  onRows: (rows: readonly Row[]) => void,
): Promise<Row[]> {
  const { nodes, isQuick, rounds, profileFolder } = effort;
  const engines = await Engines.start(nodes);
  try {
    const distributed = engines.system(nodes);
    const rows: Row[] = [];
    const inserts: number[] = [];
    for (const cell of cells) {
      const alone: Sample[] = [];
      const together: Sample[] = [];
      const times = cell.isOnce === true ? 1 : rounds;
      for (let round = 0; round < times; round++) {
        for (const [system, samples] of [
          [embedded, alone],
          [distributed, together],
        ] as const) {
          say(`${cell.scenario} ${round + 1}/${times}: ${cell.variant}, ${system.name}`);
          const options = { ...cell.options, profileFolder };
          samples.push(await system.with(options, (servers) => cell.measure(servers, isQuick)));
        }
      }
      say(`${cell.scenario}: bare inserts`);
      inserts.push(await bareInserts(engines, isQuick));
      rows.push(rowOfCell(cell, distributed.name, nodes, alone, together));
      onRows(rows);
    }
    rows.push(
      rowOf({
        scenario: "distribution",
        variant: `bare batched inserts (${distributed.name})`,
        unit: "rows/s",
        better: "more",
        values: inserts,
        nodes,
        note: "into the same PostgreSQL in the same run: one INSERT of 500 rows of 200 bytes per transaction into a table with a primary key, four connections",
      }),
    );
    onRows(rows);
    return rows;
  } finally {
    await engines.stop();
  }
}

function rowOfCell(
  { scenario, variant, unit, better, note }: Cell,
  system: string,
  nodes: number,
  alone: readonly Sample[],
  together: readonly Sample[],
): Row {
  return rowOf({
    scenario: "distribution",
    variant: `${scenario}, ${variant} (${system})`,
    unit,
    better,
    values: together.map(({ value }) => value),
    probes: alone.map(({ value }) => value),
    nodes,
    ...latencies(together),
    embeddedP99: latencies(alone).p99,
    note: `${note}; probe: one node with the embedded store${cameAgain(together)}`,
  });
}

function cameAgain(samples: readonly Sample[]): string {
  const repeated = samples.reduce((sum, sample) => sum + (sample.repeated ?? 0), 0);
  return repeated === 0 ? "" : `; ${repeated} messages came again, as they were not acknowledged in time`;
}

/** Medians over the runs; nothing where the cell has no latencies. */
function latencies(samples: readonly Sample[]): Partial<Sample> {
  const names = (["p50", "p99", "p999"] as const).filter((name) => samples[0]?.[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, median(samples.map((one) => one[name] ?? 0))]));
}
