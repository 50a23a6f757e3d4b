/** Lines through measured points, named where they end. */
import { linear, logarithmic, type Scale, tickText } from "../scale.ts";
import { card, colors, dot, line, margin, path, text, top, width } from "./svg.ts";

export interface LineSeries {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  /** What the axes say. */
  readonly x: string;
  readonly y: string;
  readonly isLogarithmic: boolean;
  readonly series: readonly LineSeries[];
}

const nameWidth = 255;
const plotHeight = 300;
const nameHeight = 16;

export function lineChart({ title, subtitle, x, y, isLogarithmic, series }: LineChart): string {
  const left = margin + 44;
  const right = width - margin - nameWidth;
  const begin = top + 18;
  const end = begin + plotHeight;
  const points = series.flatMap((one) => one.points);
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const across = isLogarithmic
    ? logarithmic(Math.min(...xs), Math.max(...xs), left, right)
    : linear(Math.max(...xs), left, right);
  const up = isLogarithmic
    ? logarithmic(Math.min(...ys), Math.max(...ys), end, begin)
    : linear(Math.max(...ys), end, begin);
  return card(end + 50, title, subtitle, [
    text(left, begin - 10, y, "quiet small"),
    ...gridOf(across, up, left, right, begin, end),
    text((left + right) / 2, end + 36, x, "quiet small", "middle"),
    ...series.flatMap((one, at) => drawSeries(one, color(at), across, up)),
    ...namesOf(series, up, right + 14, begin, end),
  ]);
}

export function gridOf(
  across: Scale,
  up: Scale,
  left: number,
  right: number,
  begin: number,
  end: number,
): string[] {
  return [
    ...up.ticks.flatMap((tick) => [
      line(left, up.at(tick), right, up.at(tick), "grid"),
      text(left - 8, up.at(tick) + 4, tickText(tick), "quiet small", "end"),
    ]),
    ...across.ticks.flatMap((tick) => [
      line(across.at(tick), begin, across.at(tick), end, "grid"),
      text(across.at(tick), end + 18, tickText(tick), "quiet small", "middle"),
    ]),
    line(left, end, right, end, "axis"),
  ];
}

function drawSeries({ points }: LineSeries, stroke: string, across: Scale, up: Scale): string[] {
  const places = points.map(({ x, y }) => [across.at(x), up.at(y)] as const);
  return [path(places, stroke), ...places.map(([x, y]) => dot(x, y, 3.5, stroke))];
}

/** Names in the order of the lines' ends, pushed apart where they would overlap. */
function namesOf(series: readonly LineSeries[], up: Scale, x: number, begin: number, end: number): string[] {
  const names = series
    .map(({ name, points }, at) => ({ name, at, y: up.at(points.at(-1)?.y ?? 0) }))
    .sort((one, other) => one.y - other.y);
  let free = begin;
  const ys = names.map(({ y }) => {
    const placed = Math.max(y, free);
    free = placed + nameHeight;
    return placed;
  });
  // Pushed down beyond the plot, they are lifted together.
  const excess = Math.max(0, (ys.at(-1) ?? 0) - end);
  return names.flatMap(({ name, at }, place) => {
    const y = (ys[place] ?? 0) - excess;
    return [dot(x, y, 4, color(at)), text(x + 10, y + 4, name, "small")];
  });
}

function color(at: number): string {
  return colors[at % colors.length] ?? colors[0];
}
