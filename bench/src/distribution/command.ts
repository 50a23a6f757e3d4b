import { shortened, UsageError, wholeNumber } from "../usage.ts";
import { type Cell, cells } from "./cells.ts";

export const distributedScenarioNames: readonly string[] = [
  ...new Set(cells.map(({ scenario }) => scenario)),
];

/** How many nodes on PostgreSQL `--store` and `--nodes` ask for; undefined: none, but the embedded store. */
export function nodesOnPostgres(store: string | undefined, nodes: string | undefined): number | undefined {
  if (store !== undefined && store !== "embedded" && store !== "postgres")
    throw new UsageError(`--store must be embedded or postgres, not ${JSON.stringify(shortened(store))}`);
  if (nodes !== undefined && store === "embedded")
    throw new UsageError(
      "--nodes goes with --store postgres: nodes that are joined keep their data in one place",
    );
  if (nodes === undefined) return store === "postgres" ? 1 : undefined;
  return wholeNumber("nodes", nodes, 1, 16, 1);
}

export function chooseCells(names: readonly string[]): readonly Cell[] {
  for (const name of names)
    if (!distributedScenarioNames.includes(name))
      throw new UsageError(
        `${JSON.stringify(shortened(name))} is not measured on PostgreSQL; there are ${distributedScenarioNames.join(", ")}`,
      );
  return names.length === 0 ? cells : cells.filter(({ scenario }) => names.includes(scenario));
}
