import { shortened } from "../arguments.ts";
import { type Weather, weathers } from "../network/conditions.ts";

/** What of a plan is left out: makes a failing run small, and travels in its reproduction line. */
export interface Mask {
  /** Indexes of the actions that stay; undefined: all. */
  readonly actions: readonly number[] | undefined;
  /** Indexes of the devices that exist; undefined: all. */
  readonly devices: readonly number[] | undefined;
  readonly without: ReadonlySet<Weather>;
  /** How many servers there are; undefined: as many as the seed draws. */
  readonly nodes?: number | undefined;
  /** The run ends after so many steps; undefined: when it is done. */
  readonly steps: number | undefined;
}

export const everything: Mask = {
  actions: undefined,
  devices: undefined,
  without: new Set(),
  steps: undefined,
};

/** The options of a reproduction line. */
export function maskArguments(mask: Mask): string[] {
  const words: string[] = [];
  if (mask.nodes !== undefined) words.push("--nodes", String(mask.nodes));
  if (mask.actions !== undefined) words.push("--actions", formatRanges(mask.actions));
  if (mask.devices !== undefined) words.push("--devices", formatRanges(mask.devices));
  if (mask.without.size > 0) words.push("--without", [...mask.without].join(","));
  if (mask.steps !== undefined) words.push("--steps", String(mask.steps));
  return words;
}

export function parseWithout(list: string): ReadonlySet<Weather> {
  const names = list.split(",").filter((name) => name !== "");
  for (const name of names) {
    if (!(weathers as readonly string[]).includes(name))
      throw new Error(`--without knows ${weathers.join(", ")}; not ${shortened(name)}`);
  }
  return new Set(names as Weather[]);
}

/** `0-3,7`; `none` for no action at all. */
export function formatRanges(numbers: readonly number[]): string {
  if (numbers.length === 0) return "none";
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let end = i;
    while (numbers[end + 1] === (numbers[end] as number) + 1) end++;
    parts.push(i === end ? `${numbers[i]}` : `${numbers[i]}-${numbers[end]}`);
    i = end + 1;
  }
  return parts.join(",");
}

export function parseRanges(text: string): number[] {
  if (text === "none") return [];
  return text.split(",").flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw new Error(`a list of numbers reads like 0-3,7; not ${shortened(part)}`);
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}
