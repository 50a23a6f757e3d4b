/** Horizontal bars in groups, the smallest and the largest run as a whisker. */
import { linear, tickText } from "../scale.ts";
import { bar, card, colors, labelWidthOf, line, margin, text, textWidth, top, width } from "./svg.ts";

export interface Bar {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Which of the legend's entries it is. */
  readonly series: number;
}

export interface BarRow {
  readonly name: string;
  readonly isOurs: boolean;
  readonly bars: readonly Bar[];
}

export interface BarGroup {
  readonly title: string;
  readonly rows: readonly BarRow[];
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly legend: readonly string[];
  readonly groups: readonly BarGroup[];
}

const barHeight = 14;
const rowGap = 10;
const groupGap = 30;
const valueWidth = 80;

export function barChart({ title, subtitle, legend, groups }: BarChart): string {
  const left =
    margin + labelWidthOf(groups.flatMap(({ title: name, rows }) => [name, ...rows.map((row) => row.name)]));
  const right = width - margin - valueWidth;
  const all = groups.flatMap(({ rows }) => rows.flatMap(({ bars }) => bars));
  const scale = linear(Math.max(...all.map(({ value, high }) => Math.max(value, high))), left, right);
  const marks: string[] = [];
  let y = top + (legend.length > 1 ? 14 : 0);
  const begin = y;
  for (const group of groups) {
    y += groupGap - 10;
    marks.push(text(margin, y, group.title, "group"));
    y += 12;
    for (const row of group.rows) {
      const height = row.bars.length * barHeight;
      marks.push(
        text(left - 10, y + height / 2 + 4, row.name, row.isOurs ? "group" : "", "end"),
        ...row.bars.flatMap((one, at) => drawBar(one, y + at * barHeight, scale.at, left)),
      );
      y += height + rowGap;
    }
  }
  const end = y;
  const grid = scale.ticks.flatMap((tick) => [
    line(scale.at(tick), begin, scale.at(tick), end, tick === 0 ? "axis" : "grid"),
    text(scale.at(tick), end + 16, tickText(tick), "quiet small", "middle"),
  ]);
  return card(end + 34, title, subtitle, [...legendOf(legend), ...grid, ...marks]);
}

function drawBar({ value, low, high, series }: Bar, y: number, at: (value: number) => number, left: number) {
  const middle = y + (barHeight - 2) / 2;
  const end = Math.max(at(value), at(high));
  const parts = [bar(left, y, at(value) - left, barHeight - 2, color(series))];
  if (high > low)
    parts.push(
      line(at(low), middle, at(high), middle, "mark"),
      line(at(low), middle - 3, at(low), middle + 3, "mark"),
      line(at(high), middle - 3, at(high), middle + 3, "mark"),
    );
  const shown = value >= 100 ? Math.round(value).toLocaleString("en") : `${Number(value.toPrecision(3))}`;
  return [...parts, text(end + 6, middle + 4, shown, "small")];
}

function color(series: number): string {
  return colors[series % colors.length] ?? colors[0];
}

/** One line of coloured names, where there is more than one. */
export function legendOf(names: readonly string[], y = top): string[] {
  if (names.length < 2) return [];
  let x = margin;
  return names.flatMap((name, at) => {
    const parts = [bar(x, y - 9, 10, 10, color(at)), text(x + 15, y, name, "small")];
    x += 15 + textWidth(name) + 18;
    return parts;
  });
}
