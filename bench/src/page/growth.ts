/** Costs by size: one picture for each thing that becomes more, and one for the memory of connections. */
import { lineChart } from "./chart/lines.ts";
import type { Figure } from "./figure.ts";
import { exponent, number, percent, table } from "./markdown.ts";
import type { Plot, Section } from "./section.ts";

const memoryAxis = "idle connections, ";

export function growthSections(rows: readonly Figure[]): Section[] {
  const all = rows.filter(({ scenario }) => scenario === "growth");
  const costs = all.filter(({ axis }) => axis !== undefined && !axis.startsWith(memoryAxis));
  const memory = all.filter(({ axis }) => axis?.startsWith(memoryAxis));
  const sections: Section[] = [];
  if (costs.length > 0) sections.push(costsSection(costs));
  if (memory.length > 0) sections.push(memorySection(memory));
  return sections;
}

function costsSection(rows: readonly Figure[]): Section {
  const axes = [...Map.groupBy(rows, ({ axis }) => axis ?? "")];
  return {
    title: "Cost that grows as it should",
    plots: axes.map(([axis, figures]) => costPlot(axis, figures)),
    text: [
      "Every line begins at 1: what the work costs at the smallest size. A flat line is a cost that does not depend on the size, a line along the diagonal one that grows with it. The exponent is the slope of the line through all points; that of the last step alone shows a cost that is small at first and grows.",
      slopeTable(rows),
      "Every point:",
      ...axes.map(([axis, figures]) => sizeTable(axis, figures)),
    ].join("\n\n"),
  };
}

function costPlot(axis: string, rows: readonly Figure[]): Plot {
  const series = byMeasure(rows).flatMap(([measure, figures]) => {
    const points = pointsOf(figures);
    const first = points[0]?.y;
    if (points.length < 2 || first === undefined || first <= 0) return [];
    const slope = figures.find(({ unit }) => unit === "exponent");
    return [
      {
        name: slope === undefined ? measure : `${measure}: ${exponent(slope.value)}`,
        points: points.map(({ x, y }) => ({ x, y: y / first })),
      },
    ];
  });
  return {
    file: `growth-${axis.replaceAll(/[^a-z]+/gi, "-").toLowerCase()}.svg`,
    alt: `Cost by ${axis}`,
    svg: lineChart({
      title: `Cost by ${axis}`,
      subtitle: "Times what it costs at the smallest size, and the exponent; both axes logarithmic.",
      x: axis,
      y: "times",
      isLogarithmic: true,
      series,
    }),
  };
}

function slopeTable(rows: readonly Figure[]): string {
  return table(
    ["what", "over", "exponent", "last step", "expected", "", "how"],
    rows
      .filter(({ unit }) => unit === "exponent")
      .map((row) => [
        row.measure ?? row.variant,
        row.axis ?? "",
        exponent(row.value),
        row.lastStep === undefined ? "" : exponent(row.lastStep),
        row.expected ?? "",
        row.asExpected === false ? "**grows**" : "as expected",
        row.note.split("; expected ")[0] ?? "",
      ]),
  );
}

function sizeTable(axis: string, rows: readonly Figure[]): string {
  const sizes = [...new Set(rows.flatMap(({ size }) => (size === undefined ? [] : [size])))].sort(
    (one, other) => one - other,
  );
  return table(
    [axis, ...sizes.map((size) => size.toLocaleString("en"))],
    byMeasure(rows).map(([measure, figures]) => {
      const unit = figures.find(({ size }) => size !== undefined)?.unit ?? "";
      return [
        `${measure}, ${unit}`,
        ...sizes.map((size) => {
          const row = figures.find((figure) => figure.size === size);
          if (row === undefined) return "";
          return row.runs < 2 ? number(row.value) : `${number(row.value)} (±${percent(row.spread / 2)})`;
        }),
      ];
    }),
  );
}

function memorySection(rows: readonly Figure[]): Section {
  const series = [...Map.groupBy(rows, ({ transport }) => transport ?? "")].map(([transport, figures]) => {
    const slope = figures.find(({ unit }) => unit === "bytes/connection");
    return {
      name: `${transport}: ${slope === undefined ? "?" : number(slope.value)} bytes each`,
      points: pointsOf(figures),
    };
  });
  const lines = rows.filter(({ size }) => size === undefined);
  return {
    title: "Memory by number of connections",
    plots: [
      {
        file: "memory.svg",
        alt: "Memory of the server by the number of idle connections",
        svg: lineChart({
          title: "Memory of the server by the number of idle connections",
          subtitle: "Signed in, doing nothing; garbage collected before each reading.",
          x: "connections",
          y: "MB",
          isLogarithmic: false,
          series,
        }),
      },
    ],
    text: table(
      ["", "", "unit", "how"],
      lines.map((row) => [row.variant, number(row.value), row.unit, row.note]),
    ),
  };
}

function byMeasure(rows: readonly Figure[]): [string, Figure[]][] {
  return [...Map.groupBy(rows, ({ measure }) => measure ?? "")];
}

function pointsOf(rows: readonly Figure[]): { x: number; y: number }[] {
  return rows
    .flatMap(({ size, value }) => (size === undefined ? [] : [{ x: size, y: value }]))
    .sort((one, other) => one.x - other.x);
}
