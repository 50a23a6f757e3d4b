import type { Row } from "./row.ts";

const headings = [
  "scenario",
  "variant",
  "value",
  "unit",
  "probe",
  "ratio",
  "p50",
  "p99",
  "p99.9",
  "runs",
  "spread",
];

/** Rows as a table for people, notes below it. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.scenario,
    row.variant,
    number(row.value),
    row.unit,
    row.probe === null ? "–" : number(row.probe),
    row.ratio === null ? "–" : row.ratio.toFixed(2),
    milliseconds(row.p50),
    milliseconds(row.p99),
    milliseconds(row.p999),
    `${row.runs}`,
    `${Math.round(row.spread * 100)} %`,
  ]);
  const notes = rows
    .filter(({ note }) => note !== "")
    .map(({ scenario, variant, note }) => `${scenario} ${variant}: ${note}`);
  return [alignedTable(headings, cells, [0, 1, 3]), "", "Latencies in ms.", ...notes].join("\n");
}

/** Cells in columns; those in `left` begin at the same place, the others end there. */
export function alignedTable(
  headings: readonly string[],
  cells: readonly (readonly string[])[],
  left: readonly number[],
): string {
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (left.includes(at) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ");
  return [headings, ...cells].map(line).join("\n");
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : `${value}`;
}

function milliseconds(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
