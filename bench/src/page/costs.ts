import type { Figure } from "./figure.ts";
import { number, table } from "./markdown.ts";
import type { Section } from "./section.ts";

/** One line for each unit of work, one column for each of what it uses. */
export function costsSections(rows: readonly Figure[]): Section[] {
  const shown = rows.filter(({ scenario }) => scenario === "costs");
  if (shown.length === 0) return [];
  const resources = [...new Set(shown.map(({ resource, unit }) => `${resource}, ${unit}`))];
  const units = [...Map.groupBy(shown, ({ of }) => of)];
  return [
    {
      title: "What a cluster is made of",
      plots: [],
      text: [
        "Three nodes, PostgreSQL and NATS: what one of each uses, all nodes together. [A cluster of any size](../concepts/scale.md) is worked out from these.",
        table(
          ["one", ...resources, "runs", "how"],
          units.map(([unit, some]) => [
            `${unit}`,
            ...resources.map((resource) => {
              const row = some.find((one) => `${one.resource}, ${one.unit}` === resource);
              return row === undefined ? "" : number(row.value);
            }),
            `${some[0]?.runs}`,
            some[0]?.note ?? "",
          ]),
        ),
      ].join("\n\n"),
    },
  ];
}
