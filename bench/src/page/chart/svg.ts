/**
 * As much of SVG as the plots need. A plot is a card with a background of its own, light or dark as the reader's
 * system is, so that it can be read on any page.
 */

export const colors = [
  "#3b76d9",
  "#d97a26",
  "#2b9a6a",
  "#b5489c",
  "#8a6fe8",
  "#1e98b3",
  "#c9483a",
  "#8c8f3a",
] as const;

const style = `
  .card { fill: #ffffff; stroke: #d5dae0; }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-size: 12px; font-weight: 600; }
  .quiet { fill: #667079; }
  .small { font-size: 11px; }
  .grid { stroke: #e6e9ed; }
  .axis { stroke: #9aa4ae; }
  .mark { stroke: #24292f; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #15191f; stroke: #343b44; }
    text { fill: #e3e8ee; }
    .quiet { fill: #98a2ad; }
    .grid { stroke: #272d35; }
    .axis { stroke: #5d6772; }
    .mark { stroke: #e3e8ee; }
  }`;

export const width = 820;
export const margin = 20;
/** Below the title and its second line. */
export const top = 64;

/** A whole picture: a card with a title, what is said below it, and its parts. */
export function card(height: number, title: string, subtitle: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${round(height)}" width="${width}" height="${round(height)}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${round(height) - 1}" rx="6"/>`,
    text(margin, 28, title, "title"),
    text(margin, 47, subtitle, "quiet small"),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

export type Anchor = "start" | "middle" | "end";

export function text(x: number, y: number, content: string, kind = "", anchor: Anchor = "start"): string {
  return `<text x="${round(x)}" y="${round(y)}"${className(kind)}${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${escaped(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string, dash = ""): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"${className(kind)}${dash === "" ? "" : ` stroke-dasharray="${dash}"`}/>`;
}

export function bar(x: number, y: number, w: number, h: number, color: string, opacity = 1): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(w, 1))}" height="${round(h)}" rx="2" fill="${color}"${opacity === 1 ? "" : ` opacity="${opacity}"`}/>`;
}

export function dot(x: number, y: number, radius: number, color: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${color}"/>`;
}

/** Lines from place to place; undefined begins a new one. */
export function path(
  places: readonly (readonly [number, number] | undefined)[],
  color: string,
  dash = "",
): string {
  let isDown = false;
  const steps = places.map((place) => {
    if (place === undefined) {
      isDown = false;
      return "";
    }
    const step = `${isDown ? "L" : "M"}${round(place[0])} ${round(place[1])}`;
    isDown = true;
    return step;
  });
  return `<path d="${steps.join("")}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}/>`;
}

/** How wide a text is, about. */
export function textWidth(content: string): number {
  return content.length * 6.4;
}

/** Room for the longest of the names beside a plot, bold ones too. */
export function labelWidthOf(names: readonly string[]): number {
  return Math.min(340, Math.max(110, ...names.map((name) => name.length * 7.2)) + 16);
}

function className(kind: string): string {
  return kind === "" ? "" : ` class="${kind}"`;
}

function escaped(content: string): string {
  return content
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
