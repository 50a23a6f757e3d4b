/** Latencies on a logarithmic axis: p50, p99 and p99.9 of each row, joined by a line. */
import { logarithmic, tickText } from "../scale.ts";
import { card, colors, dot, labelWidthOf, line, margin, text, top, width } from "./svg.ts";

export interface LatencyRow {
  readonly name: string;
  readonly isOurs: boolean;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

const rowHeight = 26;

export function latencyChart(title: string, subtitle: string, rows: readonly LatencyRow[]): string {
  const left = margin + labelWidthOf(rows.map(({ name }) => name));
  const right = width - margin - 20;
  const values = rows.flatMap(({ p50, p99, p999 }) => [p50, p99, p999]).filter((value) => value > 0);
  const scale = logarithmic(Math.min(...values), Math.max(...values), left, right);
  const begin = top + 22;
  const end = begin + rows.length * rowHeight;
  const grid = scale.ticks.flatMap((tick) => [
    line(scale.at(tick), begin - 4, scale.at(tick), end, "grid"),
    text(scale.at(tick), end + 16, `${tickText(tick)} ms`, "quiet small", "middle"),
  ]);
  const marks = rows.flatMap((row, at) => drawRow(row, begin + (at + 0.5) * rowHeight, scale.at, left));
  const legend = [
    dot(left + 4, top + 2, 5, colors[0]),
    text(left + 14, top + 6, "p50", "small"),
    dot(left + 64, top + 2, 5, colors[1]),
    text(left + 74, top + 6, "p99", "small"),
    dot(left + 124, top + 2, 5, colors[6]),
    text(left + 134, top + 6, "p99.9", "small"),
  ];
  return card(end + 34, title, subtitle, [...legend, ...grid, ...marks]);
}

function drawRow(row: LatencyRow, y: number, at: (value: number) => number, left: number): string[] {
  return [
    text(left - 12, y + 4, row.name, row.isOurs ? "group" : "", "end"),
    line(at(row.p50), y, at(row.p999), y, "axis"),
    dot(at(row.p50), y, 5, colors[0]),
    dot(at(row.p99), y, 5, colors[1]),
    dot(at(row.p999), y, 5, colors[6]),
  ];
}
