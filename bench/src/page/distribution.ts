import type { Figure } from "./figure.ts";
import { milliseconds, number, percent, table } from "./markdown.ts";
import type { Section } from "./section.ts";

export function distributionSections(rows: readonly Figure[]): Section[] {
  const shown = rows.filter(({ scenario }) => scenario === "distribution");
  if (shown.length === 0) return [];
  return [
    {
      title: "PostgreSQL, and several nodes",
      plots: [],
      text: [
        "The same work by one node with the embedded store, in turns with it: what it costs to keep everything in PostgreSQL, and to have several nodes. All of it on one machine: PostgreSQL, NATS, nodes and the load generator share its cores, so that more nodes cannot be faster here.",
        table(
          ["", "unit", "", "runs", "spread", "embedded", "of that", "p50 ms", "p99 ms"],
          shown.map((row) => [
            row.variant,
            row.unit,
            number(row.value),
            `${row.runs}`,
            row.runs < 2 ? "one run" : percent(row.spread),
            row.probe === null ? "" : number(row.probe),
            row.ratio === null ? "" : row.ratio.toFixed(2),
            milliseconds(row.p50),
            milliseconds(row.p99),
          ]),
        ),
      ].join("\n\n"),
    },
  ];
}
