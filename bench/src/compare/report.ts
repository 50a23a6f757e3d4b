/** What a comparison says. */
import type { Row } from "../row.ts";
import { alignedTable } from "../table.ts";
import { type Judgement, judge } from "./verdict.ts";

/** The rows of each round, of both sides. */
export interface Rounds {
  readonly base: readonly (readonly Row[])[];
  readonly head: readonly (readonly Row[])[];
}

export interface ComparedRow extends Judgement {
  readonly scenario: string;
  readonly variant: string;
  readonly unit: string;
  readonly better: Row["better"];
  readonly baseRuns: readonly number[];
  readonly headRuns: readonly number[];
}

/** Each figure that both sides have given. */
export function compareRounds({ base, head }: Rounds): ComparedRow[] {
  return (head[0] ?? []).flatMap(({ scenario, variant, unit, better }) => {
    const of = (side: readonly (readonly Row[])[]) =>
      side.flatMap((rows) => {
        const row = rows.find((one) => one.scenario === scenario && one.variant === variant);
        return row === undefined ? [] : [row.value];
      });
    const [baseRuns, headRuns] = [of(base), of(head)];
    if (baseRuns.length === 0) return [];
    return [{ scenario, variant, unit, better, baseRuns, headRuns, ...judge(baseRuns, headRuns, better) }];
  });
}

export function comparisonTable(rows: readonly ComparedRow[]): string {
  const headings = [
    "scenario",
    "variant",
    "unit",
    "base",
    "head",
    "change",
    "noise of base",
    "of head",
    "verdict",
  ];
  const cells = rows.map((row) => [
    row.scenario,
    row.variant,
    row.unit,
    number(row.base),
    number(row.head),
    `${row.change >= 0 ? "+" : "−"}${(Math.abs(row.change) * 100).toFixed(1)} %`,
    `±${(row.baseNoise * 100).toFixed(1)} %`,
    `±${(row.headNoise * 100).toFixed(1)} %`,
    verdictText(row),
  ]);
  return alignedTable(headings, cells, [0, 1, 2, 8]);
}

function verdictText({ verdict, unit }: ComparedRow): string {
  const isSize = unit.startsWith("bytes");
  switch (verdict) {
    case "worse":
      return isSize ? "larger" : "slower";
    case "better":
      return isSize ? "smaller" : "faster";
    case "same":
      return "same within the noise";
    case "unclear":
      return "differs, but runs overlap: more rounds";
  }
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : `${Number(value.toPrecision(3))}`;
}
