/** The results as one Markdown page and its pictures, from the rows of runs. */
import { costsSections } from "./costs.ts";
import { crashSections } from "./crash.ts";
import { distributionSections } from "./distribution.ts";
import { type Absence, type Figure, type Figures, isQuick } from "./figure.ts";
import { growthSections } from "./growth.ts";
import { milliseconds, number, percent, table } from "./markdown.ts";
import type { Plot, Section } from "./section.ts";
import { acknowledgements, comparisons, isCompared } from "./throughput.ts";

export interface Page {
  readonly text: string;
  readonly plots: readonly Plot[];
}

/** Scenarios that have sections of their own, beside those that are compared. */
const drawn = new Set(["growth", "crash", "distribution", "costs"]);

export function pageOf({ rows, absences }: Figures): Page {
  const sections = [
    ...comparisons(rows),
    ...crashSections(rows),
    ...growthSections(rows),
    ...distributionSections(rows),
    ...costsSections(rows),
  ];
  const others = rows.filter((row) => !drawn.has(row.scenario) && !isCompared(row));
  return {
    text: `${[
      "# Results",
      warning(rows),
      introduction(rows),
      ...sections.map(sectionText),
      otherFigures(others),
      acknowledgements(rows),
      missing(absences),
      reproduction(rows),
    ]
      .filter((part) => part !== "")
      .join("\n\n")}\n`,
    plots: sections.flatMap(({ plots }) => plots),
  };
}

function warning(rows: readonly Figure[]): string {
  const quick = rows.filter(isQuick).length;
  if (quick === 0) return "";
  const which = quick === rows.length ? "All figures" : `${quick} of ${rows.length} figures`;
  return `> **${which} of this page come from runs with \`--quick\`.** They show that everything works, not how fast it is. Do not quote them.`;
}

function introduction(rows: readonly Figure[]): string {
  const machines = [...Map.groupBy(rows, ({ machine }) => machine)];
  return [
    "Made from the rows of the runs below by `npm run bench -- --page`; nothing on this page is typed by hand. Server and load generator share one machine. Every figure is the median of its runs; the spread beside it is (largest − smallest) / median, and tells how far the same thing measured twice may lie apart. A difference between two systems that is smaller than their spreads is none.",
    "",
    ...machines.map(
      ([machine, some]) =>
        `- ${machine}: ${some.length} figures, ${dates(some)}, load average ${loads(some)} (the bench itself makes about 2)`,
    ),
  ].join("\n");
}

function dates(rows: readonly Figure[]): string {
  const all = [...new Set(rows.map(({ date }) => (date ?? "").slice(0, 10)).filter(Boolean))].sort();
  if (all.length === 0) return "no date";
  return all.length === 1 ? `${all[0]}` : `${all[0]} to ${all.at(-1)}`;
}

function loads(rows: readonly Figure[]): string {
  const all = rows.map(({ loadAverage }) => loadAverage).filter(Number.isFinite);
  if (all.length === 0) return "unknown";
  return `${number(Math.min(...all))} to ${number(Math.max(...all))}`;
}

function sectionText({ title, plots, text }: Section): string {
  return [`## ${title}`, ...plots.map(({ file, alt }) => `![${alt}](${file})`), text].join("\n\n");
}

function otherFigures(rows: readonly Figure[]): string {
  if (rows.length === 0) return "";
  return `## Other figures\n\n${table(
    ["", "", "unit", "runs", "spread", "bare probe", "p50 ms", "p99 ms", "how"],
    rows.map((row) => [
      `\`${row.scenario}\` ${row.variant}`,
      number(row.value),
      row.unit,
      `${row.runs}`,
      row.runs < 2 ? "one run" : percent(row.spread),
      row.probe === null ? "" : number(row.probe),
      milliseconds(row.p50),
      milliseconds(row.p99),
      row.note,
    ]),
  )}`;
}

function missing(absences: readonly Absence[]): string {
  if (absences.length === 0) return "";
  return [
    "## No figure",
    "",
    ...absences.map(({ scenario, system, missing: why }) => `- ${scenario}, ${system}: ${why}`),
  ].join("\n");
}

/** Which command gave which figures; what other options there are says `npm run bench -- --help`. */
function reproduction(rows: readonly Figure[]): string {
  const commands = [...Map.groupBy(rows, ({ command }) => command ?? "unknown")];
  return `## To measure again\n\n${table(
    ["command", "gives", "took place"],
    commands.map(([command, some]) => [
      `\`${command}\``,
      [...new Set(some.map(({ scenario }) => `\`${scenario}\``))].join(", "),
      dates(some),
    ]),
  )}\n\n\`--json FILE\` keeps the rows, \`npm run bench -- --page FILE.json …\` makes this page of them.`;
}
