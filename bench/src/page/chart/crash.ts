/** Throughput and p99 over time, around the moment in which the server was killed. */
import type { Series } from "../../measure/timeline.ts";
import { linear, logarithmic, type Scale } from "../scale.ts";
import { gridOf } from "./lines.ts";
import { card, colors, line, margin, path, text, top, width } from "./svg.ts";

const panelHeight = 170;
const panelGap = 58;

export function crashChart(
  title: string,
  subtitle: string,
  series: Series,
  killedMs: number,
  listeningMs: number,
): string {
  const left = margin + 50;
  const right = width - margin - 10;
  const seconds = (series.stored.length * series.bucketMs) / 1000;
  const across = linear(seconds, left, right, 10);
  const perSecond = series.stored.map((count) => (count * 1000) / series.bucketMs);
  const latencies = series.p99.filter((value) => value !== null);
  const first = top + 22;
  const second = first + panelHeight + panelGap;
  const middle = (at: number) => across.at(((at + 0.5) * series.bucketMs) / 1000);
  const throughput = linear(Math.max(...perSecond), first + panelHeight, first, 4);
  const latency = logarithmic(Math.min(...latencies), Math.max(...latencies), second + panelHeight, second);
  const panel = (y: number, scale: Scale, name: string) => [
    text(left, y - 8, name, "quiet small"),
    ...gridOf(across, scale, left, right, y, y + panelHeight),
  ];
  return card(second + panelHeight + 46, title, subtitle, [
    ...panel(first, throughput, "messages stored per second"),
    ...panel(second, latency, "p99 of what was received in each tenth of a second, send→received, in ms"),
    ...event(across.at(killedMs / 1000), first, second + panelHeight, "SIGKILL", "end"),
    ...event(across.at(listeningMs / 1000), first, second + panelHeight, "listens again", "start"),
    path(
      perSecond.map((value, at) => [middle(at), throughput.at(value)]),
      colors[0],
    ),
    path(
      series.p99.map((value, at) =>
        value === null ? undefined : ([middle(at), latency.at(value)] as const),
      ),
      colors[1],
    ),
    text((left + right) / 2, second + panelHeight + 36, "seconds", "quiet small", "middle"),
  ]);
}

function event(x: number, begin: number, end: number, name: string, anchor: "start" | "end"): string[] {
  return [
    line(x, begin - 4, x, end, "mark", "4 3"),
    text(x + (anchor === "start" ? 5 : -5), begin - 8, name, "small", anchor),
  ];
}
