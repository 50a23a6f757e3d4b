import { crashChart } from "./chart/crash.ts";
import type { Figure } from "./figure.ts";
import { number, percent } from "./markdown.ts";
import type { Section } from "./section.ts";

export function crashSections(rows: readonly Figure[]): Section[] {
  return rows.flatMap((row) => {
    const { series, killedMs, listeningMs } = row;
    if (row.scenario !== "crash" || !series || killedMs === undefined || listeningMs === undefined) return [];
    const subtitle = `200 users, ${row.inFlight ?? 32} messages in flight each; one run, that with the median gap of ${row.runs}.`;
    const svg = crashChart(
      "The server is killed and started again at once",
      subtitle,
      series,
      killedMs,
      listeningMs,
    );
    return [
      {
        title: "Around a crash",
        plots: [{ file: "crash.svg", alt: "Throughput and latency around a SIGKILL", svg }],
        text: `**${number(row.value)} s** without any message stored (${row.runs < 2 ? "one run" : `median of ${row.runs} runs, spread ${percent(row.spread)}`}): ${row.note}.`,
      },
    ];
  });
}
